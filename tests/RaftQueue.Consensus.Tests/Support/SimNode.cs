using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests.Support;

/// <summary>One node of a simulated cluster: a core, its disk, and the little that the runtime does between them.</summary>
internal sealed class SimNode(ISimWorld cluster, MemberInfo info, int electionTimeoutMs = 300)
{
    private long _nextContext;

    public NodeId Id => Info.Id;

    public MemberInfo Info { get; private set; } = info;

    public SimDisk Disk { get; private set; } = new();

    /// <summary>Null while the process is down.</summary>
    public RaftNode? Core { get; private set; }

    /// <summary>Reads asked and not answered: the highest index committed anywhere when each was asked.</summary>
    public Dictionary<ulong, LogIndex> Reads { get; } = [];

    /// <summary>What recovery says about a damaged log.</summary>
    public (Term Term, LogIndex Index)? VoteFloor { get; set; }

    /// <summary>Up to here the core's commits are checked against the cluster's.</summary>
    public LogIndex Checked { get; set; }

    public void Start()
    {
        var options = new RaftOptions
        {
            Self = Id,
            SelfIncarnation = Info.Incarnation,
            Shard = Entries.Shard,
            ElectionTimeoutMs = electionTimeoutMs,
            MaxAppendBytes = 400,
            MaxInflightBytes = 1200,
            MaxInflightMessages = 6,
        };
        var start = new RaftStart
        {
            HardState = Disk.DurableHardState,
            CheckpointIndex = Disk.CheckpointIndex,
            CheckpointTerm = Disk.CheckpointTerm,
            CheckpointMembership = Disk.CheckpointMembership,
            VoteFloor = VoteFloor,
        };
        Core = new RaftNode(options, start, Disk, cluster.Random, cluster.NowMs);
        Checked = Core.CommitIndex;
        cluster.Trace?.Invoke($"start {Show.Text(this, Core)}");
        if (Disk.Bootstrap is { } initial) Core.Bootstrap(initial, cluster.NowMs);
        Drain();
    }

    public void Crash()
    {
        cluster.Trace?.Invoke($"crash {Id}");
        Core = null;
        Reads.Clear();
        Disk.Crash(cluster.Random);
    }

    /// <summary>The data directory is gone; a blank node with another incarnation comes up.</summary>
    public void Wipe(Incarnation fresh)
    {
        cluster.Trace?.Invoke($"wipe {Id}");
        Core = null;
        Reads.Clear();
        Disk = new SimDisk();
        Info = Info with { Incarnation = fresh };
        Start();
    }

    public void Bootstrap(MembershipRecord initial)
    {
        Disk.Bootstrap = initial;
        Core?.Bootstrap(initial, cluster.NowMs);
    }

    public void Sync(int writes)
    {
        (HardState? state, (LogIndex Index, Term Term)? log) = Disk.Sync(writes);
        if (state is { } saved) Core?.HardStatePersisted(saved, cluster.NowMs);
        if (log is { } end) Core?.Persisted(end.Index, end.Term, cluster.NowMs);
    }

    public void AskToRead()
    {
        ulong context = (ulong)++_nextContext;
        Reads[context] = cluster.Checks.HighestCommitted;
        Core?.RequestRead(context, cluster.NowMs);
    }

    public bool Propose(ulong payload, int extraBytes, bool awaitedElsewhere = true)
    {
        if (Core is not { Role: Role.Leader } core) return false;
        LogEntry entry = Entries.Job(core.Term.Value, core.LastIndex.Value + 1, payload, extraBytes);
        return core.Propose(entry, cluster.NowMs, awaitedElsewhere);
    }

    /// <summary>Takes a checkpoint of what is committed and durable here, and lets older entries go.</summary>
    public void TakeCheckpoint()
    {
        if (Core is not { } core) return;
        Drain();
        LogIndex index = LogIndex.Min(core.CommitIndex, core.DurableIndex);
        if (index <= Disk.CheckpointIndex || Disk.TermAt(index) is not { } term) return;
        MembershipRecord? membership = cluster.Checks.MembershipAt(index);
        Assert.NotNull(membership);
        Disk.SaveCheckpoint(index, term, membership);
        core.Compacted(index, term, membership);
        Disk.Release(index - cluster.Random.NextBelow(4));
    }

    /// <summary>A checkpoint arrives from a peer. A crash may come between its rename and the restart of the log.</summary>
    public void Receive(LogIndex index, Term term, MembershipRecord membership, bool crashInside)
    {
        if (Core is not { } core || index <= core.CommitIndex) return;
        Drain();
        Disk.SaveCheckpoint(index, term, membership);
        if (crashInside)
        {
            Crash();
            return;
        }

        core.InstallCheckpoint(index, term, membership, cluster.NowMs);
        Checked = LogIndex.Max(Checked, index);
        Drain();
    }

    /// <summary>What the replica loop does after a batch of inputs.</summary>
    public void Drain()
    {
        if (Core is not { } core) return;
        do
        {
            TakeEffects(core);
        }
        while (ProposeWhatIsWanted(core));

        cluster.Trace?.Invoke("  " + Show.Text(this, core));
        cluster.Checks.AfterDrain(this, core);
    }

    private void TakeEffects(RaftNode core)
    {
        Effects effects = core.Effects;
        if (effects.HardStateToSave is { } state) Disk.Save(state);
        if (effects.LogFloor is { } floor) VoteFloor = floor;
        if (effects.LogRestart is { } restart) Disk.RestartAt(restart.Index, restart.Term);
        if (effects.EntriesToWrite.Count > 0)
        {
            cluster.Checks.Written(effects.EntriesToWrite, Disk);
            Disk.Append(effects.EntriesToWrite);
        }

        foreach (Message message in effects.Messages)
        {
            cluster.Checks.Leaves(this, core, message);
            cluster.Send(this, message);
        }

        foreach (ReadResult read in effects.Reads) cluster.Checks.ReadAnswered(this, read);
        if (effects.Checkpoint is { } needed) cluster.Fetch(this, needed);
        if (effects.CommitAdvanced) core.Applied(core.CommitIndex, cluster.NowMs);
        effects.Clear();
    }

    private bool ProposeWhatIsWanted(RaftNode core)
    {
        if (core.IsTransferring) return false;
        if (core.WantsMembership is { } wanted)
        {
            return core.Propose(LogEntry.ForMembership(Entries.Shard, core.Term, core.LastIndex.Next, 0, wanted), cluster.NowMs);
        }

        return core.WantsTermStart
            && core.Propose(LogEntry.TermStart(Entries.Shard, core.Term, core.LastIndex.Next, 0), cluster.NowMs);
    }
}
