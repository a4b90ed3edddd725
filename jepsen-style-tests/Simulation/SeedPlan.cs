using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What a seed draws once for its run: shape, load, and how often each fault happens (a rate of 0 is never).</summary>
internal sealed class SeedPlan
{
    private readonly SplitMix64 _random;

    public SeedPlan(ulong seed)
    {
        _random = new SplitMix64(SplitMix64.Mix(seed));
        Nodes = OneIn(3) ? 5 : 3;
        Shards = OneIn(3) ? 3 : 1;
        DurationMs = 15_000 + _random.NextBelow(Nodes == 5 ? 15_000 : 35_000);
        Clients = 2 + (int)_random.NextBelow(6);
        Queues = 1 + (int)_random.NextBelow(5);
        ThinkMs = 5 + _random.NextBelow(120);
        BigPercent = OneIn(2) ? 0 : 2 + (int)_random.NextBelow(10);
        LossPercent = OneIn(2) ? 0 : (int)_random.NextBelow(20);
        LatePerMille = OneIn(2) ? 0 : (int)_random.NextBelow(30);
        LateMs = 20 + (int)_random.NextBelow(600);
        FaultGapMs = 300 + _random.NextBelow(4_000);
        Weights =
        [
            (FaultKind.Partition, Weight()),
            (FaultKind.Disconnect, Weight()),
            (FaultKind.Die, Weight()),
            (FaultKind.LosePower, Weight()),
            (FaultKind.CrashInDisk, Weight()),
            (FaultKind.LosePowerOneAfterTheOther, Weight() / 2),
            (FaultKind.AllLosePower, Weight() / 3),
            (FaultKind.Wipe, Weight() / 2),
            (FaultKind.JumpWall, Weight()),
            (FaultKind.Pause, Weight()),
            (FaultKind.SlowDisk, Weight()),
            (FaultKind.Stop, Weight()),
        ];
        JumpingNode = new NodeId(1 + (int)_random.NextBelow(Nodes));
    }

    public int Nodes { get; }

    public int Shards { get; }

    public long DurationMs { get; }

    public int Clients { get; }

    public int Queues { get; }

    public long ThinkMs { get; }

    /// <summary>Of a hundred enqueues so many carry a payload of up to 200 KB: checkpoints and transfers come from these.</summary>
    public int BigPercent { get; }

    public int LossPercent { get; }

    public int LatePerMille { get; }

    public int LateMs { get; }

    public long FaultGapMs { get; }

    public IReadOnlyList<(FaultKind Kind, int Weight)> Weights { get; }

    /// <summary>The only one whose wall clock is wrong: with two, a majority's median may be wrong too.</summary>
    public NodeId JumpingNode { get; }

    public override string ToString() =>
        $"{Nodes} nodes, {Shards} shards, {DurationMs} ms, {Clients} clients, {Queues} queues, think {ThinkMs} ms, big {BigPercent} %, "
        + $"loss {LossPercent} %, late {LatePerMille} per mille by {LateMs} ms, a fault each {FaultGapMs} ms of "
        + string.Join(' ', Weights.Where(pair => pair.Weight > 0).Select(pair => $"{pair.Kind}:{pair.Weight}"));

    private int Weight() => OneIn(2) ? 0 : 1 + (int)_random.NextBelow(12);

    private bool OneIn(int many) => _random.NextBelow(many) == 0;
}
