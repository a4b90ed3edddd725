namespace RaftQueue.Checkers.Model;

/// <summary>How often more was due than one entry may carry out, and what met that.</summary>
public sealed class ModelBehind
{
    /// <summary>Entries that left something due for the next one.</summary>
    public long Entries { get; set; }

    /// <summary>Lease requests that caught up with their queue.</summary>
    public long Leases { get; set; }

    /// <summary>Jobs that a call on a lease, a cancel or a repeat touched.</summary>
    public long Calls { get; set; }

    /// <summary>Unique keys that somebody held and somebody asked for.</summary>
    public long Keys { get; set; }

    public void Add(ModelBehind other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Entries += other.Entries;
        Leases += other.Leases;
        Calls += other.Calls;
        Keys += other.Keys;
    }

    public override string ToString() => $"{Entries} entries, met by {Leases} lease requests, {Calls} calls on jobs and {Keys} enqueues under a key";
}
