using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>How much of a node's room calls that finish work take. They have as much as new work, beside it.</summary>
internal static class FinishingRoom
{
    /// <summary>Whether a further one of this size finds none, counted anew from what is under way.</summary>
    public static bool IsTaken(Node node, int bodyBytes)
    {
        var underWay = new List<PendingRequest>();
        foreach (ShardReplica replica in node.Parts.Replica.Shards) node.Parts.Shared.Replies.CopyTo(replica.Shard, underWay);
        int requests = underWay.Count(request => request.Finishing);
        long bytes = underWay.Where(request => request.Finishing).Sum(request => (long)request.Body.Length);
        NodeOptions options = node.Parts.Shared.Options;
        return requests >= options.MaxPendingRequests || bytes + bodyBytes > options.MaxPendingBytes;
    }
}
