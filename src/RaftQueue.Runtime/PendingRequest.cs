using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// A request of one of this node's users on its way through the log. The routing fields belong to the replica loop; who takes
/// the request out of the <see cref="ReplyTable"/> completes it, once.
/// </summary>
internal sealed class PendingRequest(TaskCreationOptions completionOptions)
{
    private readonly TaskCompletionSource<CommandOutcome> _completion = new(completionOptions);

    public required ulong Number { get; init; }

    public required ShardId Shard { get; init; }

    public required CommandType Type { get; init; }

    /// <summary>The command's body; an array of its own, because a copy may still wait to be sent after the answer came.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Admitted when new work is refused.</summary>
    public required bool Finishing { get; init; }

    /// <summary>A lease request waits in the leader's memory instead of being proposed at once.</summary>
    public bool IsLease => Type == CommandType.Lease;

    public required long ArrivedMicroseconds { get; init; }

    /// <summary>Leases: how long an empty answer waits, monotonic.</summary>
    public long WaitUntilMicroseconds { get; set; }

    /// <summary>After this an outcome that is still open is answered as unknown.</summary>
    public required long DeadlineMicroseconds { get; init; }

    /// <summary>How many copies may be on their way to, or in, some leader's log. Zero: certainly none.</summary>
    public int Copies { get; set; }

    /// <summary>Where the newest copy went.</summary>
    public NodeId SentTo { get; set; }

    /// <summary>Leases: sent once more after the wait was over and no answer had come.</summary>
    public bool AskedAgain { get; set; }

    /// <summary>Answered as not applied while it waited to be proposed or sent: it must not be any more.</summary>
    public bool Refused { get; set; }

    public Task<CommandOutcome> Task => _completion.Task;

    /// <summary>Only for who removed the request from the table.</summary>
    public void Complete(in CommandOutcome outcome) => _completion.SetResult(outcome);
}
