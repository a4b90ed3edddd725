using RaftQueue.Checkers.Model;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>One shard's log replayed, and what stood in it.</summary>
public sealed class TruthShard
{
    /// <summary>What timers of one entry may free, roughly.</summary>
    private const long PagesOfAnEntry = 100;

    private readonly Truth _truth;
    private readonly JobModel _model = new(new ReplicatedSettings());
    private readonly ModelRequests _requests = new();
    private readonly List<(long StampMs, long Term)> _entries = [];
    private readonly Dictionary<ulong, LogGrant> _running = [];
    private readonly List<LogGrant> _grants = [];
    private readonly List<(long StampMs, long LateMs)> _due = [];
    private readonly Queue<Operation> _reads;
    private readonly IReadOnlySet<long>? _audits;
    private readonly Dictionary<long, ulong> _rootHashes = [];

    internal TruthShard(
        Truth truth, ShardId shard, IReadOnlyList<ReadOnlyMemory<byte>> log, IEnumerable<Operation> reads, IReadOnlySet<long>? audits)
    {
        _audits = audits;
        _truth = truth;
        Shard = shard;
        _reads = new Queue<Operation>(reads.OrderBy(read => read.Index.Value));
        _model.LeaseEnded += NoteEnd;
        _model.CameDue += job => _due.Add((_model.Now, _model.Now - job.RunAt));
        Replay(log);
    }

    public ShardId Shard { get; }

    /// <summary>The newest entry.</summary>
    public LogIndex LastIndex => new(_entries.Count);

    /// <summary>The real store's hash after the newest entry.</summary>
    public ulong StateHash { get; private set; }

    /// <summary>The hash over all pages of the real store at the indexes that were asked for.</summary>
    public IReadOnlyDictionary<long, ulong> RootHashes => _rootHashes;

    /// <summary>Every time that a job became ready because its time had come, in order: when by cluster time, and how late.</summary>
    public IReadOnlyList<(long StampMs, long LateMs)> Due => _due;

    /// <summary>Every lease of the log in order.</summary>
    public IReadOnlyList<LogGrant> Grants => _grants;

    /// <summary>How often more was due than an entry may carry out.</summary>
    public ModelBehind Behind => _model.Behind;

    /// <summary>Jobs as the model has them at the end; null for none (any more).</summary>
    public ModelJob? Find(JobId job) => _model.Find(job.Sequence);

    /// <summary>How the job's failed attempts are tried again, also when it is forgotten by now; null when it never was.</summary>
    public RetryPolicy? RetryOf(JobId job) => _model.Ever(job.Sequence)?.Retry;

    /// <summary>All jobs that ever were.</summary>
    public IReadOnlyCollection<ModelJob> Jobs => _model.Jobs;

    public IEnumerable<ModelQueue> Queues => _model.Queues;

    public long StampOf(LogIndex index) => _entries[(int)index.Value - 1].StampMs;

    public long TermOf(LogIndex index) => _entries[(int)index.Value - 1].Term;

    private void Replay(IReadOnlyList<ReadOnlyMemory<byte>> log)
    {
        using PageStore pages = PageStore.Create(new PageStoreOptions());
        using JobStore store = JobStore.Create(pages, Shard);
        using var output = new ApplyOutput();
        CompareReads();
        foreach (ReadOnlyMemory<byte> entry in log)
        {
            Require.Readable(EntryHeader.TryRead(entry.Span, out EntryHeader header));
            output.Clear();
            long pagesBefore = pages.AllocatedPages;
            store.Apply(header, entry.Span, output);
            CheckRoom(store, Math.Max(pagesBefore, pages.AllocatedPages), output.Codes);
            if (_audits?.Contains(header.Index.Value) == true) _rootHashes.Add(header.Index.Value, pages.ComputeRootHash());
            Apply(header, entry.Span, output.Codes);
            CompareReads();
            // What was left for a later entry is seen as it is until then.
            if (store.HasDueWork) CompareQueues(store);
        }

        StateHash = store.StateHash;
        CompareJobs(store);
        if (_reads.TryPeek(out Operation? read)) _truth.Differs($"{read} saw an entry that is not in the log");
    }

    /// <summary>
    /// How many pages there are within an entry only the store knows; before or after it there must be about as many as refuse new work.
    /// </summary>
    private void CheckRoom(JobStore store, long pages, List<ResultCode> codes)
    {
        if (!codes.Contains(ResultCode.StateFull)) return;
        long most = store.Settings.StateHighWaterPages;
        if (most == 0 || pages + PagesOfAnEntry < most) _truth.Differs($"new work is refused at {store.AppliedIndex} for want of room, with {pages} pages of {most}");
    }

    private void Apply(in EntryHeader header, ReadOnlySpan<byte> entry, List<ResultCode> codes)
    {
        int place = 0;
        _model.Index = header.Index.Value;
        _model.Begin(header.TimestampMs);
        _entries.Add((_model.Now, header.Term.Value));
        ReadOnlySpan<byte> commands = entry[EntryHeader.Size..];
        while (CommandFrame.TryTake(ref commands, out CommandFrame frame))
        {
            if (frame.Type < CommandFrame.FirstJobType) continue;
            _model.StateIsFull = codes[place++] == ResultCode.StateFull;
            Run(frame);
            _model.GoOn();
        }
    }

    private void Run(in CommandFrame frame)
    {
        var type = (CommandType)frame.Type;
        bool numbered = type is not (CommandType.Settings or CommandType.Tick or CommandType.Checkpoint or CommandType.Lease)
            && !frame.Origin.IsNone && frame.RequestNumber != 0;
        Operation? call = _truth.CallOf(frame);
        if (numbered && !_requests.TryMark(frame.Origin, frame.RequestNumber)) return;
        string answer = CommandText.Run(_model, frame);
        if (type == CommandType.Lease) NoteGrants(frame, call);
        if (call is not null) Settle(call, answer);
    }

    /// <summary>An answer is compared with the model's; an open call has one now; a refused one must not be here.</summary>
    private void Settle(Operation call, string answer)
    {
        var index = new LogIndex(_model.Index);
        bool empty = answer.StartsWith(nameof(ResultCode.Empty), StringComparison.Ordinal);
        switch (call.End)
        {
            case OperationEnd.Applied when call.Code != ResultCode.Empty && call.Index == index && call.Shard == Shard:
                // A lease request that its node sent again may stand twice in one entry: the first that got something is answered, the other
                // one's grants go back.
                bool isLease = call.Kind == OperationKind.Lease;
                if ((isLease && empty) || (!_truth.AnswerFound(call) && isLease)) break;
                call.Term = TermOf(index);
                // Over HTTP answers are not known in the model's words.
                if (call.Answer is { } told && told != answer) _truth.Differs($"{call} was answered\n{told}\nand the model says\n{answer}");
                break;
            case OperationEnd.NotApplied when !empty:
                // A grant to a refused request is judged by what became of it.
                if (call.Kind == OperationKind.Lease) break;
                _truth.Differs($"refused as not applied, and it stands at {index}: {call}", "P1");
                break;
            case OperationEnd.Info when !call.FoundInLog && !empty && call.Kind != OperationKind.Lease:
                call.FoundInLog = true;
                call.Index = index;
                call.Term = TermOf(index);
                call.Code = Enum.Parse<ResultCode>(answer.AsSpan(0, answer.IndexOf(' ', StringComparison.Ordinal)));
                TakeEffect(call);
                break;
            case OperationEnd.Applied when call.Kind != OperationKind.Lease:
                _truth.Differs($"{call} stands at {index} as well");
                break;
            default:
                break;
        }
    }

    private void TakeEffect(Operation call)
    {
        ModelEffect effect = _model.Last;
        call.Replayed = effect.Replayed;
        for (int i = 0; i < effect.Enqueued.Count && i < call.Jobs.Count; i++)
        {
            (ModelJob job, bool created, bool? replaced) = effect.Enqueued[i];
            AskedJob asked = call.Jobs[i];
            // Its slot was told to nobody.
            asked.Job = new JobId(job.Sequence, Shard, 0);
            asked.Created = created;
            asked.Replaced = replaced;
        }

        for (int i = 0; i < call.Rows.Count && i < effect.Statuses.Count; i++)
        {
            Operation row = call.Rows[i];
            (row.FoundInLog, row.Index, row.Term, row.Code, row.Status, row.Replayed) = (true, call.Index, call.Term, call.Code, effect.Statuses[i], call.Replayed);
            row.ExpiresAtMs = _model.Find(row.Job!.Value.Sequence)?.LeaseEnd ?? 0;
        }

        if (!call.IsOnLease || call.Rows.Count > 0 || effect.Statuses.Count == 0) return;
        call.Status = effect.Statuses[0];
        call.ExpiresAtMs = _model.Find(call.Job!.Value.Sequence)?.LeaseEnd ?? 0;
    }

    private void NoteGrants(in CommandFrame frame, Operation? call)
    {
        foreach (ModelJob job in _model.Last.Granted)
        {
            var grant = new LogGrant
            {
                Job = new JobId(job.Sequence, Shard, 0),
                Fence = job.Fence,
                Index = new LogIndex(_model.Index),
                StampMs = _model.Now,
                Worker = job.Worker ?? "",
                Origin = frame.Origin,
                Number = frame.RequestNumber,
                Call = call,
                RunAtMs = job.RunAt,
            };
            _grants.Add(grant);
            _running[job.Sequence] = grant;
        }
    }

    private void NoteEnd(ModelJob job, string by)
    {
        LogGrant grant = _running[job.Sequence];
        grant.EndedBy = by;
        grant.EndIndex = new LogIndex(_model.Index);
        grant.EndStampMs = _model.Now;
    }

    private void CompareReads()
    {
        while (_reads.TryPeek(out Operation? read) && read.Index.Value <= _model.Index)
        {
            _reads.Dequeue();
            string expected = read.Kind switch
            {
                OperationKind.Read => _model.Find(read.Job!.Value.Sequence)?.Shot(withPayload: true).ToString() ?? "",
                OperationKind.ReadQueue => _model.Queue(read.Queue)?.Text(_model.Now) ?? "",
                _ => string.Join('\n', Page(read).Select(queue => queue.Text(_model.Now))),
            };
            if (read.Answer != expected) _truth.Differs($"{read} saw\n{read.Answer}\nand the model has\n{expected}");
        }
    }

    private IEnumerable<ModelQueue> Page(Operation read) => _model.Queues
        .Where(queue => read.After is null || string.CompareOrdinal(queue.Name, read.After) > 0)
        .OrderBy(queue => queue.Name, StringComparer.Ordinal)
        .Take(read.Limit == 0 ? int.MaxValue : read.Limit);

    /// <summary>The real store ends with the jobs and queues of the model.</summary>
    private void CompareJobs(JobStore store)
    {
        CompareQueues(store);
        long kept = _model.Jobs.LongCount(job => !job.Forgotten || job.HoldsKey);
        if (kept != store.JobCount) _truth.Differs($"the store of shard {Shard} has {store.JobCount} jobs and the model {kept}");
    }

    private void CompareQueues(JobStore store)
    {
        using var buffer = new PooledBuffer();
        foreach (ModelQueue queue in _model.Queues)
        {
            buffer.Clear();
            Require.That(
                store.TryWriteQueue(System.Text.Encoding.UTF8.GetBytes(queue.Name), new MessagePackWriter(buffer)),
                $"P10: the store has queue {queue.Name}");
            var reader = new MessagePackReader(buffer.WrittenSpan);
            Require.Readable(QueueView.TryRead(ref reader, out QueueView view));
            string has = Shots.Of(view);
            if (has != queue.Text(_model.Now)) _truth.Differs($"at {store.AppliedIndex} the store has queue\n{has}\nand the model\n{queue.Text(_model.Now)}");
        }
    }
}
