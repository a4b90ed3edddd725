using System.Collections.Concurrent;
using RaftQueue.Primitives;

namespace RaftQueue.Transport.Tests;

/// <summary>Remembers everything it is told, and whether the order that <see cref="IPeerHandler"/> promises was ever broken.</summary>
internal sealed class RecordingHandler(Func<NodeId, Handshake> handshake) : IPeerHandler
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, bool> _connected = [];
    private readonly List<Event> _events = [];
    private readonly ConcurrentDictionary<NodeId, int> _inside = new();
    private TaskCompletionSource _changed = New();

    public sealed record Event(string What, NodeId? Peer, string Text, FrameKind? Kind, byte[] Payload);

    /// <summary>The first broken promise, or null.</summary>
    public string? Broken { get; private set; }

    public BootstrapAnswer Answer { get; set; } = new()
    {
        Incarnation = new Incarnation(1), ClusterId = "c", Shards = 1, MembersDigest = 7, BlankShards = [true],
    };

    public List<Event> Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    public int Count(string what) => Events.Count(item => item.What == what);

    public bool IsConnected(NodeId peer)
    {
        lock (_lock) return _connected.GetValueOrDefault(peer);
    }

    public void Connected(NodeId peer, Handshake theirs) => Add(new Event("connected", peer, theirs.Incarnation.ToString(), null, []), connects: true);

    public void Disconnected(NodeId peer, bool orderly) =>
        Add(new Event("disconnected", peer, orderly ? "orderly" : "broken", null, []), connects: false);

    public void Refused(NodeId? peer, string reason) => Add(new Event("refused", peer, reason, null, []), connects: null);

    public void Received(NodeId peer, FrameKind kind, ShardId shard, ReadOnlyMemory<byte> payload)
    {
        if (!IsConnected(peer)) Broken ??= "received while not connected";
        Add(new Event("received", peer, $"shard {shard}", kind, payload.ToArray()), connects: null);
    }

    public BootstrapAnswer AnswerBootstrap() => Answer;

    public Handshake OurHandshake(NodeId target) => handshake(target);

    /// <summary>Waits until the events so far are as wanted; half a minute is for a machine that does other things.</summary>
    public async Task UntilAsync(Func<List<Event>, bool> wanted)
    {
        var limit = Task.Delay(TimeSpan.FromSeconds(30));
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (wanted(_events)) return;
                changed = _changed.Task;
            }

            if (await Task.WhenAny(changed, limit) == limit)
                Assert.Fail("Waited in vain; last events:\n" + string.Join('\n', Events.TakeLast(20).Select(item => $"{item.What} {item.Peer} {item.Text}")));
        }
    }

    public Task UntilAsync(string what, int count = 1) => UntilAsync(events => events.Count(item => item.What == what) >= count);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Add(Event item, bool? connects)
    {
        bool ofPeer = item.Peer is not null && item.What != "refused";
        if (ofPeer && _inside.AddOrUpdate(item.Peer!.Value, 1, (_, inside) => inside + 1) != 1) Broken ??= "calls for one peer overlap";
        lock (_lock)
        {
            if (connects is { } now)
            {
                if (_connected.GetValueOrDefault(item.Peer!.Value) == now) Broken ??= $"{item.What} twice";
                _connected[item.Peer!.Value] = now;
            }

            _events.Add(item);
            _changed.TrySetResult();
            _changed = New();
        }

        if (ofPeer) _inside.AddOrUpdate(item.Peer!.Value, 0, (_, inside) => inside - 1);
    }
}
