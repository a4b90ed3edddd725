using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// This node's requests that are not answered yet, by request number; bounded in number and bytes. Safe from any thread.
/// </summary>
internal sealed class ReplyTable(int maxRequests, long maxBytes)
{
    /// <summary>Finishing work is admitted when new work is refused: it has as much room again.</summary>
    public const int FinishingFactor = 2;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, PendingRequest> _requests = [];
    private long _bytes;

    public int Count
    {
        get
        {
            lock (_gate) return _requests.Count;
        }
    }

    /// <summary>False when too much is under way.</summary>
    public bool TryAdd(PendingRequest request)
    {
        int factor = request.Finishing ? FinishingFactor : 1;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.UnboundedRequests)) factor = int.MaxValue / maxRequests;
#endif
        lock (_gate)
        {
            if (_requests.Count >= maxRequests * factor || _bytes + request.Body.Length > maxBytes * factor) return false;
            _requests.Add(request.Number, request);
            _bytes += request.Body.Length;
            return true;
        }
    }

    /// <summary>Takes a request out; the caller answers it.</summary>
    public bool TryTake(ulong number, out PendingRequest? request)
    {
        lock (_gate)
        {
            if (!_requests.Remove(number, out request)) return false;
            _bytes -= request.Body.Length;
            return true;
        }
    }

    public bool TryGet(ulong number, out PendingRequest? request)
    {
        lock (_gate) return _requests.TryGetValue(number, out request);
    }

    /// <summary>Appends every open request of a shard, oldest first.</summary>
    public void CopyTo(ShardId shard, List<PendingRequest> into)
    {
        lock (_gate)
        {
            foreach (PendingRequest request in _requests.Values)
            {
                if (request.Shard == shard) into.Add(request);
            }
        }

        into.Sort(static (left, right) => left.Number.CompareTo(right.Number));
    }
}
