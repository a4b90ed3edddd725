using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// What is going to be touched, and is not in memory, is asked of the disk together: a hundred jobs then wait for it about as long as
/// one. Reads pages and changes none, so that it is not part of what an entry does.
/// </summary>
public sealed partial class JobStore
{
    private const int MostTokens = 1_024; // of an entry

    private readonly TreeEntry[] _soon = new TreeEntry[PageStore.MostPrefetched];
    private int _timersAhead;    // how many of the next timers were looked at
    private DueTree? _promoting; // of this tree the next so many
    private int _promotionsAhead;

    /// <summary>The jobs whose tokens an entry names.</summary>
    private void PrefetchTokens(ReadOnlySpan<byte> commands)
    {
        if (_pages.PrefetchDepth < 2) return;
        ReadOnlySpan<byte> rest = commands;
        int left = MostTokens;
        while (left > 0 && CommandFrame.TryTake(ref rest, out CommandFrame frame))
        {
            if (!HasTokens(frame) || !TokenCommand.TryReadStart(frame.Body, out TokenCommand command)) continue;
            MessagePackReader items = command.Items;
            for (int i = 0; i < command.Count && left > 0; i++, left--)
            {
                if (!items.TryReadArrayHeader(out int fields) || fields < 1 || !items.TryReadInt64(out long slot)) break;
                _jobs.Prefetch(slot);
                if (!items.TrySkipMany(fields - 1)) break;
            }
        }

        left = _pages.PrefetchDepth;
        while (left > 0 && CommandFrame.TryTake(ref commands, out CommandFrame frame))
        {
            if (frame.Type == (ushort)CommandType.Reschedule) PrefetchDueTimes(frame.Body, ref left);
        }
    }

    private static bool HasTokens(in CommandFrame frame) => (CommandType)frame.Type
        is CommandType.Ack or CommandType.Nack or CommandType.Extend or CommandType.Release or CommandType.Reschedule or CommandType.Revoke;

    /// <summary>Where rescheduled jobs go: into their queue's tree, anywhere.</summary>
    private void PrefetchDueTimes(ReadOnlySpan<byte> body, ref int left)
    {
        if (!TokenCommand.TryReadStart(body, out TokenCommand command)) return;
        MessagePackReader items = command.Items;
        for (int i = 0; i < command.Count && left > 0; i++, left--)
        {
            if (!RescheduleItem.TryRead(ref items, out RescheduleItem item)) return;
            bool live = _jobs.TryLoad(item.Lease.Slot, item.Lease.Sequence, out JobRecord job)
                && job.State == JobState.Leased && job.Fence == item.Lease.Fence;
            if (live) _queues.At(job.Queue).Scheduled.Prefetch(DueTime(item.DelayMs, item.RunAtMs, defaultDelayMs: null));
        }
    }

    /// <summary>The first of a tree, up to a time, with all that granting them reads. Returns how many, at least 1.</summary>
    private int PrefetchGrants(DueTree tree, long until, int most)
    {
        int count = PrefetchJobs(tree, until, most);
        for (int i = 0; i < count; i++) PrefetchBlobs(_jobs.Load(_soon[i].Value), payload: _render);
        return Math.Max(count, 1);
    }

    private void PrefetchPromotions(DueTree tree)
    {
        if (_promoting == tree && _promotionsAhead-- > 0) return;
        _promoting = tree;
        _promotionsAhead = PrefetchJobs(tree, _now, _timersLeft + 1) - 1;
    }

    private int PrefetchJobs(DueTree tree, long until, int most)
    {
        int depth = Math.Min(_pages.PrefetchDepth, most);
        if (depth < 2) return 0;
        int count = tree.CopyDue(until, _soon.AsSpan(0, depth));
        for (int i = 0; i < count; i++) _jobs.Prefetch(_soon[i].Value);
        return count;
    }

    private void PrefetchTimers()
    {
        if (_timersAhead-- > 0) return;
        int depth = Math.Min(_pages.PrefetchDepth, _timersLeft);
        if (depth < 2) return;
        int count = _timers.CopyDue(_now, _soon.AsSpan(0, depth));
        _timersAhead = count - 1;
        foreach (ref readonly TreeEntry timer in _soon.AsSpan(0, count))
        {
            if (IsForJob(timer)) _jobs.Prefetch(timer.Value);
        }

        foreach (ref readonly TreeEntry timer in _soon.AsSpan(0, count))
        {
            if (IsForJob(timer)) PrefetchBlobs(_jobs.Load(timer.Value), payload: Timers.KindOf(timer) == TimerKind.Retention);
        }
    }

    private static bool IsForJob(in TreeEntry timer) =>
        Timers.KindOf(timer) is TimerKind.LeaseEnd or TimerKind.Expiry or TimerKind.Retention;

    private void PrefetchBlobs(in JobRecord job, bool payload)
    {
        _jobs.Blobs.Prefetch(job.Run);
        _jobs.Blobs.Prefetch(job.Rare);
        if (payload) _jobs.Blobs.Prefetch(job.Payload);
    }
}
