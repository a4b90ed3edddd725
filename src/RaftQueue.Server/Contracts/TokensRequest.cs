using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// The body of an ack, nack, extend, release or reschedule, split into one command a shard. What has no sense at all (a wrong type, an
/// unknown field) refuses the request; a value out of bounds only its own token, so that it does not stop the others from finishing.
/// </summary>
public sealed class TokensRequest : BodyRequest, IDisposable
{
    private readonly RequestLimits _limits;
    private readonly RequestScratch _scratch;
    private readonly RequestErrors _errors;
    private readonly TokenVerb _verb;
    private readonly int _shards;
    private readonly IdempotencyKey? _key;
    private readonly TokenItemParser _parser;
    private readonly Fields _names;
    private readonly List<TokenItem> _items = [];
    private readonly SortedDictionary<ushort, ShardTokens> _byShard = [];

    public TokensRequest(RequestLimits limits, RequestScratch scratch, TokenVerb verb, int shards, IdempotencyKey? key)
    {
        _limits = limits;
        _scratch = scratch;
        _errors = scratch.Errors;
        _verb = verb;
        _shards = shards;
        _key = key;
        _parser = new TokenItemParser(limits, scratch, verb);
        _names = NamesOf(verb);
    }

    public IReadOnlyList<TokenItem> Items => _items;

    /// <summary>The texts of all tokens; <see cref="TokenItem"/> says where each stands.</summary>
    public PooledBuffer Texts { get; } = new(1024);

    public CommandType Command => _verb switch
    {
        TokenVerb.Ack => CommandType.Ack,
        TokenVerb.Nack => CommandType.Nack,
        TokenVerb.Extend => CommandType.Extend,
        TokenVerb.Release => CommandType.Release,
        _ => CommandType.Reschedule,
    };

    /// <summary>The command bodies, by shard; none when no token goes anywhere. Good until this is disposed.</summary>
    public IEnumerable<(ShardId Shard, ReadOnlyMemory<byte> Body)> Commands() =>
        _byShard.Select(pair => (new ShardId(pair.Key), pair.Value.Finish()));

    public override void Read(scoped ref ValueReader reader)
    {
        string list = _names.NameOf(0);
        if (!reader.TryOpenObject(out int left))
        {
            _errors.Add($"Must be an object {{\"{list}\": [ … ]}}.");
            reader.Skip();
            return;
        }

        ulong seen = 0;
        while (_names.Next(ref reader, ref left, ref seen, _errors, out _)) ReadItems(ref reader, list);
        if (seen == 0) _errors.Add(list, "Is missing.");
    }

    public void Dispose()
    {
        Texts.Dispose();
        foreach (ShardTokens shard in _byShard.Values) shard.Dispose();
    }

    private static Fields NamesOf(TokenVerb verb) => verb switch
    {
        TokenVerb.Ack => AckNames,
        TokenVerb.Nack => NackNames,
        TokenVerb.Extend => ExtendNames,
        TokenVerb.Release => ReleaseNames,
        _ => RescheduleNames,
    };

    private static readonly Fields AckNames = new("acks");
    private static readonly Fields NackNames = new("nacks");
    private static readonly Fields ExtendNames = new("extends");
    private static readonly Fields ReleaseNames = new("releases");
    private static readonly Fields RescheduleNames = new("reschedules");

    private void ReadItems(scoped ref ValueReader reader, string list)
    {
        if (!reader.TryOpenArray(out int left))
        {
            FieldReading.Refuse(ref reader, _errors, list, "Must be an array.");
            return;
        }

        int count = 0;
        _errors.Enter(list);
        for (; reader.NextItem(ref left); count++)
        {
            _errors.Enter(count);
            if (count < _limits.Tokens) ReadItem(ref reader);
            else reader.Skip();
            _errors.Leave();
        }

        _errors.Leave();
        if (count == 0) _errors.Add(list, "Must hold at least one token.");
        if (count > _limits.Tokens) _errors.Add(list, $"Must hold at most {_limits.Tokens} tokens, and holds {count}.");
    }

    private void ReadItem(scoped ref ValueReader reader)
    {
        var draft = new TokenDraft();
        if (!_parser.Read(ref reader, ref draft)) return;
        int start = Texts.Length;
        Texts.Write(draft.Token);
        int row = -1;
        ShardId shard = default;
        if (draft.Refusal is null && LeaseToken.TryParse(draft.Token, out LeaseToken token) && token.Job.Shard.Value < _shards)
        {
            shard = token.Job.Shard;
            row = ShardOf(shard).Add(_verb, LeaseReference.Of(token), draft);
        }

        _items.Add(new TokenItem(start, draft.Token.Length, shard, row, draft.Refusal));
    }

    private ShardTokens ShardOf(ShardId shard)
    {
        if (_byShard.TryGetValue(shard.Value, out ShardTokens? tokens)) return tokens;
        tokens = new ShardTokens(_key);
        _byShard.Add(shard.Value, tokens);
        return tokens;
    }

    /// <summary>The tokens of one shard as they are written into its command.</summary>
    private sealed class ShardTokens : IDisposable
    {
        private readonly PooledBuffer _body = new(1024);
        private readonly int _header;
        private int _count;

        public ShardTokens(IdempotencyKey? key)
        {
            var writer = new MessagePackWriter(_body);
            TokenCommand.WriteStart(writer, key is null ? default : key.Envelope, ushort.MaxValue);
            _header = _body.Length - MessagePackPatching.HeaderBytes;
        }

        public int Add(TokenVerb verb, LeaseReference lease, scoped in TokenDraft draft)
        {
            draft.Write(verb, lease, new MessagePackWriter(_body));
            return _count++;
        }

        public ReadOnlyMemory<byte> Finish()
        {
            MessagePackPatching.SetCount(_body, _header, _count);
            return _body.WrittenMemory;
        }

        public void Dispose() => _body.Dispose();
    }
}
