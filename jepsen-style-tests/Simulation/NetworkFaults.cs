using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>What goes wrong between nodes.</summary>
internal sealed class NetworkFaults(FaultContext context)
{
    /// <summary>In <see cref="FaultKind.Partition"/>'s number, bit from * Width + to (both from 0) says that this way is cut.</summary>
    public const int Width = 5;

    private SimulatedNetwork Network => context.Cluster.Network;

    /// <summary>Null when it was done, else why it cannot be.</summary>
    public string? Make(FaultEvent fault, SimulatedNode node)
    {
        SimulatedNode? other = fault.Kind is FaultKind.CutPair or FaultKind.CutOneWay or FaultKind.Disconnect or FaultKind.Clog
            ? fault.Other.In(context.Cluster)
            : null;
        switch (fault.Kind)
        {
            case FaultKind.CutPair or FaultKind.CutOneWay or FaultKind.Disconnect or FaultKind.Clog when other is null || other == node:
                return "no two nodes";
            case FaultKind.Disconnect:
                context.Tell($"connection {node.Id}-{other!.Id} breaks");
                Network.Disconnect(node.Id, other.Id);
                return null;
            case FaultKind.Clog:
                context.Tell($"{node.Id}>{other!.Id} stands still for {fault.DurationMs} ms");
                Network.Clog(node.Id, other.Id, context.Now + (fault.DurationMs * 1000));
                return null;
            case FaultKind.BreakTransfers or FaultKind.SpoilTransfers:
                return HarmTransfers(fault, node);
            case FaultKind.LoseMessages:
                return LoseMessages(fault, node);
            default:
                return Cut(fault, Ways(fault, node, other));
        }
    }

    private List<(NodeId From, NodeId To)> Ways(FaultEvent fault, SimulatedNode node, SimulatedNode? other)
    {
        var ways = new List<(NodeId From, NodeId To)>();
        foreach (SimulatedNode from in context.Cluster.Nodes)
        {
            foreach (SimulatedNode to in context.Cluster.Nodes)
            {
                bool cut = from != to && fault.Kind switch
                {
                    FaultKind.Isolate => from == node || to == node,
                    FaultKind.Deafen => to == node,
                    FaultKind.Mute => from == node,
                    FaultKind.CutPair => (from == node && to == other) || (from == other && to == node),
                    FaultKind.CutOneWay => from == node && to == other,
                    FaultKind.Partition => (fault.Amount >> (((from.Id.Value - 1) * Width) + to.Id.Value - 1) & 1) == 1,
                    _ => throw new InvalidOperationException($"nothing is made for {fault.Kind}"),
                };
                if (cut) ways.Add((from.Id, to.Id));
            }
        }

        return ways;
    }

    private string? Cut(FaultEvent fault, List<(NodeId From, NodeId To)> ways)
    {
        bool breaks = (fault.Salt & 1) == 1;
        string said = string.Join(' ', ways.Select(pair => $"{pair.From}>{pair.To}"));
        context.Tell($"cut for {fault.DurationMs} ms{(breaks ? ", connections break" : "")}: {said}");
        foreach ((NodeId from, NodeId to) in ways)
        {
            Network.Cut(from, to);
            if (breaks) Network.Disconnect(from, to);
        }

        context.Later(fault.DurationMs, () =>
        {
            context.Tell($"cut ends: {said}");
            foreach ((NodeId from, NodeId to) in ways) Network.Mend(from, to);
        });
        return null;
    }

    private string? LoseMessages(FaultEvent fault, SimulatedNode node)
    {
        var kind = (MessageKind)fault.Amount;
        context.Tell($"every {kind} from node {node.Id} is lost for {fault.DurationMs} ms");
        Set(kind);
        context.Later(fault.DurationMs, () => Set(null));
        return null;

        void Set(MessageKind? lost)
        {
            foreach (SimulatedNode each in context.Cluster.Nodes) Network.Path(node.Id, each.Id).LosesKind = lost;
        }
    }

    private string? HarmTransfers(FaultEvent fault, SimulatedNode node)
    {
        bool spoils = fault.Kind == FaultKind.SpoilTransfers;
        context.Tell($"checkpoints from node {node.Id} {(spoils ? "are spoilt" : "break off")} for {fault.DurationMs} ms");
        Set(true);
        context.Later(fault.DurationMs, () => Set(false));
        return null;

        void Set(bool on)
        {
            foreach (SimulatedNode each in context.Cluster.Nodes)
            {
                NetworkPath path = Network.Path(node.Id, each.Id);
                if (spoils) path.SpoilsTransfers = on;
                else path.BreaksTransfers = on;
            }
        }
    }
}
