using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// What applying an entry gave, beside the new state: reused, appended to by <see cref="JobStore.Apply"/>, drained by the runtime,
/// which then calls <see cref="Clear"/>. Nothing of it flows back into state.
/// </summary>
public sealed class ApplyOutput : IDisposable
{
    private const int MaxResultBytes = 1024 * 1024 * 1024;
    private const int CrowdedBytes = 256 * 1024 * 1024;

    /// <summary>Results are rendered only for commands of this origin.</summary>
    public Incarnation Local { get; set; }

    /// <summary>In the order of the commands.</summary>
    public List<CommandResult> Results { get; } = [];

    /// <summary>What every command came to, whoever asked, in the order of the commands.</summary>
    public List<ResultCode> Codes { get; } = [];

    /// <summary>Encoded results.</summary>
    public PooledBuffer Buffer { get; } = new(64 * 1024, MaxResultBytes);

    /// <summary>One for every lease request of any origin.</summary>
    public List<GrantOutcome> Grants { get; } = [];

    /// <summary>
    /// Queues in which a job became ready, or was scheduled so that a pull-ahead may take it; each at most once until
    /// <see cref="Clear"/>. The arrays are the store's own: do not write to them.
    /// </summary>
    public List<byte[]> QueueWakes { get; } = [];

    /// <summary>Jobs that became succeeded, dead or cancelled.</summary>
    public List<JobId> Finished { get; } = [];

    /// <summary>A <see cref="CommandType.Checkpoint"/> was applied: a checkpoint is to be taken at this entry.</summary>
    public bool CheckpointNamed { get; internal set; }

    /// <summary>So much is in the buffer that views go without payloads.</summary>
    internal bool IsCrowded => Buffer.Length > CrowdedBytes;

    /// <summary>Tells one drain from the next, so that a wake is reported once in each.</summary>
    internal ulong Generation { get; private set; } = 1;

    public void Clear()
    {
        Results.Clear();
        Codes.Clear();
        Buffer.Clear();
        Grants.Clear();
        QueueWakes.Clear();
        Finished.Clear();
        CheckpointNamed = false;
        Generation++;
    }

    public void Dispose() => Buffer.Dispose();
}
