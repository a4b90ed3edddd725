using System.Runtime.InteropServices;
using RaftQueue.Jobs.Structures;

namespace RaftQueue.Jobs.State;

/// <summary>
/// The fixed part of a job, as it stands in its page (little endian). Worked on as a copy: load, change, save. Only one copy of
/// a job may be alive, and none across a step that may relink it as another job's neighbour.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 2, Size = RecordSize)]
internal struct JobRecord
{
    public const int RecordSize = 96;

    /// <summary>Where <see cref="Previous"/> stands, for a neighbour to be relinked in place.</summary>
    public const int PreviousOffset = 50;

    /// <summary>Where <see cref="Next"/> stands.</summary>
    public const int NextOffset = 56;

    public ulong Sequence;

    /// <summary>Page number of the queue.</summary>
    public uint Queue;
    public JobState State;
    public byte Priority;
    public JobFlags Flags;
    public uint Version;
    public uint Attempt;
    public uint MaxAttempts;
    public uint Runs;
    public UInt48 CreatedAt;
    public UInt48 RunAt;

    /// <summary>
    /// By state: unstarted with <see cref="JobFlags.Expires"/>, when it dies; leased, when the lease ends; finished, when it is
    /// forgotten.
    /// </summary>
    public UInt48 Time;

    /// <summary>The neighbour before it in the list of its state, 0 at the front. Ready and finished jobs only.</summary>
    public UInt48 Previous;
    public UInt48 Next;
    public LeaseEnd LastEnd;
    public JobReason Reason;
    public BlobRef Payload;

    /// <summary>What few jobs have (see <see cref="RareFields"/>).</summary>
    public BlobRef Rare;

    /// <summary>What comes with the first lease or the end (see <see cref="RunData"/>).</summary>
    public BlobRef Run;

    /// <summary>Of the last lease; 0 before the first.</summary>
    public ulong Fence;

    public PayloadKind PayloadKind
    {
        readonly get => (PayloadKind)(Flags & JobFlags.PayloadKindMask);
        set => Flags = (Flags & ~JobFlags.PayloadKindMask) | (JobFlags)value;
    }

    public readonly bool Has(JobFlags flag) => (Flags & flag) != JobFlags.None;

    public void Set(JobFlags flag) => Flags |= flag;

    public void Clear(JobFlags flag) => Flags &= ~flag;
}
