using System.Globalization;
using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>
/// Runs a transcript against one core: lines that start with "&gt; " are commands, what follows each is what the core asked for.
/// Commands: node ID voters IDS [term T] [vote N] [log TERMS] | after MS | saved | synced [INDEX] | propose [N] | propose wanted |
/// read CONTEXT | transfer N | step down | closed N | opened N |
/// KIND from N term T [at T/I] [entries T/I,...] [commit I] [reject] [hint T/I] [force] [round R].
/// </summary>
internal sealed class Transcript
{
    private readonly StringBuilder _text = new();
    private RaftNode? _node;
    private SimDisk _disk = new();
    private HardState _saving;
    private NodeId _self;
    private long _nowMs;

    private RaftNode Node => _node ?? throw new InvalidOperationException("a transcript begins with: > node");

    public static string Run(IEnumerable<string> lines)
    {
        var transcript = new Transcript();
        foreach (string line in lines)
        {
            if (line.StartsWith("> ", StringComparison.Ordinal)) transcript.Command(line);
            else if (line.StartsWith('#') || line.Length == 0) transcript._text.AppendLine(line);
        }

        return transcript._text.ToString();
    }

    private void Command(string line)
    {
        _text.AppendLine(line);
        var words = new Words(line[2..]);
        string verb = words.Take();
        switch (verb)
        {
            case "node":
                Begin(words);
                break;
            case "after":
                _nowMs += words.Number();
                Node.Tick(_nowMs);
                break;
            case "saved":
                Node.HardStatePersisted(_saving, _nowMs);
                break;
            case "synced":
                LogIndex index = words.IsEmpty ? Node.LastIndex : new LogIndex(words.Number());
                Node.Persisted(index, _disk.TermAt(index)!.Value, _nowMs);
                break;
            case "propose":
                Propose(words);
                break;
            case "read":
                Node.RequestRead((ulong)words.Number(), _nowMs);
                break;
            case "transfer":
                if (!Node.TransferLeadership(new NodeId((int)words.Number()), _nowMs)) _text.AppendLine("refused");
                break;
            case "step":
                Node.StepDown("told", _nowMs);
                break;
            case "closed":
                Node.ConnectionClosed(new NodeId((int)words.Number()), _nowMs);
                break;
            case "opened":
                Node.ConnectionOpened(new NodeId((int)words.Number()), _nowMs);
                break;
            default:
                Node.Step(Read(Enum.Parse<MessageKind>(verb), words), _nowMs);
                break;
        }

        ShowEffects();
    }

    private void Begin(Words words)
    {
        _self = new NodeId((int)words.Number());
        _nowMs = 0;
        _disk = new SimDisk();
        MembershipRecord? members = null;
        Term term = default;
        NodeId vote = default;
        while (!words.IsEmpty)
        {
            switch (words.Take())
            {
                case "voters":
                    members = Entries.Voters([.. words.Take().Split(',').Select(id => int.Parse(id, CultureInfo.InvariantCulture))]);
                    break;
                case "term":
                    term = new Term(words.Number());
                    break;
                case "vote":
                    vote = new NodeId((int)words.Number());
                    break;
                case "log":
                    long[] terms = [.. words.Take().Split(',').Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
                    _disk.Append(
                    [
                        LogEntry.ForMembership(Entries.Shard, new Term(terms[0]), new LogIndex(1), 0, members!),
                        .. terms.Skip(1).Select((entryTerm, i) => Entries.Job(entryTerm, i + 2, 0)),
                    ]);
                    break;
            }
        }

        var options = new RaftOptions { Self = _self, SelfIncarnation = Entries.Member(_self.Value).Incarnation, Shard = Entries.Shard };
        _node = new RaftNode(options, new RaftStart { HardState = new HardState(term, vote) }, _disk, new SplitMix64(1), 0);
        if (_disk.IsBlank && members is not null) _node.Bootstrap(members, 0);
    }

    private void Propose(Words words)
    {
        if (!words.IsEmpty && words.Peek() == "wanted")
        {
            LogEntry entry = Node.WantsMembership is { } members
                ? LogEntry.ForMembership(Entries.Shard, Node.Term, Node.LastIndex.Next, 0, members)
                : LogEntry.TermStart(Entries.Shard, Node.Term, Node.LastIndex.Next, 0);
            Assert.True(Node.WantsMembership is not null || Node.WantsTermStart, "nothing is wanted");
            _text.AppendLine(Node.TryPropose(entry, _nowMs).ToString());
            return;
        }

        for (long count = words.IsEmpty ? 1 : words.Number(); count > 0; count--)
        {
            LogEntry entry = Entries.Job(Math.Max(1, Node.Term.Value), Node.LastIndex.Value + 1, 0);
            _text.AppendLine(Node.TryPropose(entry, _nowMs).ToString());
        }
    }

    private Message Read(MessageKind kind, Words words)
    {
        NodeId from = default;
        Term term = default;
        (Term Term, LogIndex Index) at = default, hint = default;
        List<LogEntry> entries = [];
        long commit = 0, round = 0;
        bool reject = false, force = false;
        while (!words.IsEmpty)
        {
            switch (words.Take())
            {
                case "from":
                    from = new NodeId((int)words.Number());
                    break;
                case "term":
                    term = new Term(words.Number());
                    break;
                case "at":
                    at = words.Place();
                    break;
                case "hint":
                    hint = words.Place();
                    break;
                case "entries":
                    entries.AddRange(words.Take().Split(',').Select(Words.ToPlace).Select(place => Entries.Job(place.Term.Value, place.Index.Value, 0)));
                    break;
                case "commit":
                    commit = words.Number();
                    break;
                case "round":
                    round = words.Number();
                    break;
                case "reject":
                    reject = true;
                    break;
                case "force":
                    force = true;
                    break;
                case string unknown:
                    throw new FormatException($"unknown word {unknown}");
            }
        }

        return new Message
        {
            Kind = kind, From = from, To = _self, Term = term, LogTerm = at.Term, Index = at.Index, Entries = entries,
            Commit = new LogIndex(commit), Reject = reject, HintTerm = hint.Term, HintIndex = hint.Index, Force = force, Context = (ulong)round,
        };
    }

    private void ShowEffects()
    {
        Effects effects = Node.Effects;
        if (effects.IsEmpty) _text.AppendLine("nothing");
        if (effects.RoleChanged) _text.AppendLine(CultureInfo.InvariantCulture, $"now {Node.Role} term {Node.Term} leader {Node.Leader}");
        if (effects.HardStateToSave is { } state)
        {
            _saving = state;
            _text.AppendLine(CultureInfo.InvariantCulture, $"save term {state.Term} vote {state.Vote}");
        }

        if (effects.EntriesToWrite.Count > 0)
        {
            _text.AppendLine("write " + string.Join(',', effects.EntriesToWrite));
            _disk.Append(effects.EntriesToWrite);
        }

        foreach (Message message in effects.Messages) _text.AppendLine("send " + Show.Text(message));
        if (effects.CommitAdvanced) _text.AppendLine(CultureInfo.InvariantCulture, $"committed {effects.CommitIndex}");
        foreach (ReadResult read in effects.Reads)
        {
            _text.AppendLine(CultureInfo.InvariantCulture, $"read {read.Context} {(read.Granted ? $"granted at {read.Index}" : "refused")}");
        }

        if (effects.Checkpoint is { } needed) _text.AppendLine(CultureInfo.InvariantCulture, $"fetch checkpoint {needed.Index} from {needed.From}");
        effects.Clear();
    }

    /// <summary>The words of one command.</summary>
    private sealed class Words(string line)
    {
        private readonly Queue<string> _words = new(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        public bool IsEmpty => _words.Count == 0;

        public string Take() => _words.Dequeue();

        public string Peek() => _words.Peek();

        public long Number() => long.Parse(_words.Dequeue(), CultureInfo.InvariantCulture);

        public (Term Term, LogIndex Index) Place() => ToPlace(_words.Dequeue());

        public static (Term Term, LogIndex Index) ToPlace(string text)
        {
            string[] parts = text.Split('/');
            return (new Term(long.Parse(parts[0], CultureInfo.InvariantCulture)), new LogIndex(long.Parse(parts[1], CultureInfo.InvariantCulture)));
        }
    }
}
