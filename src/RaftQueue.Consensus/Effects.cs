using RaftQueue.Primitives;

namespace RaftQueue.Consensus;

/// <summary>
/// What the inputs since the last <see cref="Clear"/> ask of the world. One reused object: the runtime drains it after each batch
/// of inputs, hard state, log restart and entries first (in this order, to one write-ahead log), and clears it.
/// </summary>
public sealed class Effects
{
    /// <summary>To be sent now. What depends on durability is put here only once it is durable.</summary>
    public List<Message> Messages { get; } = [];

    /// <summary>The newest hard state to make durable, answered with <c>RaftNode.HardStatePersisted</c>; or null.</summary>
    public HardState? HardStateToSave { get; internal set; }

    /// <summary>Contiguous; the first supersedes everything that the log holds at or after its index.</summary>
    public List<LogEntry> EntriesToWrite { get; } = [];

    /// <summary>The node's commit index, whether it moved or not.</summary>
    public LogIndex CommitIndex { get; internal set; }

    /// <summary>The commit index moved.</summary>
    public bool CommitAdvanced { get; internal set; }

    /// <summary>Answers to read requests.</summary>
    public List<ReadResult> Reads { get; } = [];

    /// <summary>Role, term or leader changed.</summary>
    public bool RoleChanged { get; internal set; }

    /// <summary>The membership in effect changed: connections and expected incarnations follow it.</summary>
    public bool MembershipChanged { get; internal set; }

    /// <summary>A checkpoint has to be fetched; repeated offers are merged into the newest.</summary>
    public CheckpointNeeded? Checkpoint { get; internal set; }

    /// <summary>
    /// The stored log does not continue the checkpoint (it was received, or a crash came between the two): it has to restart behind
    /// this entry, before <see cref="EntriesToWrite"/> are appended.
    /// </summary>
    public (LogIndex Index, Term Term)? LogRestart { get; internal set; }

    /// <summary>
    /// With <see cref="LogRestart"/> at a start: where the log ended that is given up. It has to be kept as durably as the restart
    /// itself until the log ends there again, because before that this node must not vote, however often it starts.
    /// </summary>
    public (Term Term, LogIndex Index)? LogFloor { get; internal set; }

    /// <summary>Nothing is asked.</summary>
    public bool IsEmpty =>
        Messages.Count == 0 && HardStateToSave is null && EntriesToWrite.Count == 0 && !CommitAdvanced && Reads.Count == 0
        && !RoleChanged && !MembershipChanged && Checkpoint is null && LogRestart is null;

    /// <summary>Counts drains: what was put here under another number has left.</summary>
    internal ulong Generation { get; private set; }

    /// <summary>Everything was taken.</summary>
    public void Clear()
    {
        Messages.Clear();
        HardStateToSave = null;
        EntriesToWrite.Clear();
        CommitAdvanced = false;
        Reads.Clear();
        RoleChanged = false;
        MembershipChanged = false;
        Checkpoint = null;
        LogRestart = null;
        LogFloor = null;
        Generation++;
    }

    /// <summary>Adds entries to write; those already here at or after the first are superseded and never written.</summary>
    internal void Write(LogEntry entry)
    {
        if (EntriesToWrite.Count > 0 && entry.Index <= EntriesToWrite[^1].Index)
        {
            long keep = entry.Index - EntriesToWrite[0].Index;
            if (keep <= 0) EntriesToWrite.Clear();
            else EntriesToWrite.RemoveRange((int)keep, EntriesToWrite.Count - (int)keep);
        }

        Invariant.That(
            EntriesToWrite.Count == 0 || EntriesToWrite[^1].Index.Next == entry.Index, "entries to write are contiguous");
        EntriesToWrite.Add(entry);
    }
}
