using RaftQueue.Consensus;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Runtime;

/// <summary>
/// Asks peers for what an adopter wants, one peer after the other, as long as any of them brings something new. Every page is
/// verified by its name; a peer that sends anything else is left.
/// </summary>
internal sealed class PageFetch(NodeShared node, ITransferClient client, ShardTransfer transfer, CheckpointAdopter adopter)
{
    private const int MaxRenewals = 8;
    private const int TellEvery = 32;

    private readonly PageName[] _names = new PageName[TransferLimits.MaxNames];
    private int _answers;

    private enum Pumped
    {
        Whole,
        Gone,
        Left,
    }

    /// <summary>True when all of one checkpoint is here; false when every peer was asked and none has more.</summary>
    public async Task<bool> RunAsync(Func<(LogIndex AtLeast, NodeId[] Sources)> wanted, CancellationToken stopping)
    {
        int vain = 0;
        for (int round = 0; ; round++)
        {
            (LogIndex _, NodeId[] sources) = wanted();
            if (vain >= sources.Length || adopter.Outcome == CheckpointOutcome.DiskFull) return false;
            long before = adopter.Progress.BytesFetched;
            if (await TryFetchFromAsync(sources[round % sources.Length], wanted, stopping).ConfigureAwait(false)) return true;
            vain = adopter.Progress.BytesFetched > before ? 0 : vain + 1;
        }
    }

    private async Task<bool> TryFetchFromAsync(
        NodeId from, Func<(LogIndex AtLeast, NodeId[] Sources)> wanted, CancellationToken stopping)
    {
        TransferOpening opening = await client.OpenAsync(from, transfer.Shard, wanted().AtLeast, stopping).ConfigureAwait(false);
        if (!opening.IsOpen)
        {
            node.Log.Info($"shard {transfer.Shard}: no checkpoint from node {from}: {opening.Outcome} {opening.Reason}");
            return false;
        }

        await using ITransferStream stream = opening.Stream;
        for (int renewals = 0; TryAim(from, stream.Info.Span, wanted().AtLeast); renewals++)
        {
            Pumped end = await PumpAsync(from, stream, stopping).ConfigureAwait(false);
            if (end == Pumped.Left) return false;
            // While it came, the leader's log may have moved on beyond it: then what was taken since is worth more.
            if (end == Pumped.Whole && (adopter.Info!.Index >= wanted().AtLeast || renewals >= MaxRenewals)) return true;
            TransferOutcome again = await stream.OpenAgainAsync(wanted().AtLeast, stopping).ConfigureAwait(false);
            if (again != TransferOutcome.Opened) return false;
        }

        return false;
    }

    /// <summary>
    /// Compares with the checkpoint that the peer has now. Pages of different checkpoints are never mixed: what is put together in the
    /// end is exactly what this one's table names, whatever it was fetched for.
    /// </summary>
    private bool TryAim(NodeId from, ReadOnlySpan<byte> offered, LogIndex atLeast)
    {
        bool usable = CheckpointInfoCodec.Decode(offered) is { } checkpoint
            && checkpoint.Info.Shard == transfer.Shard && checkpoint.Info.Index >= atLeast
            && MembershipRecord.TryDecode(checkpoint.Info.Membership, out _);
        if (!usable)
        {
            node.Log.Warning($"shard {transfer.Shard}: node {from} offers a checkpoint that cannot be used");
            return false;
        }

#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.PagesOfAnotherIndex) && adopter.Info is not null && adopter.Outcome == CheckpointOutcome.Writing)
        {
            adopter.AskAgain();
            return true;
        }
#endif
        OfferedCheckpoint target = CheckpointInfoCodec.Decode(offered)!.Value;
        adopter.Aim(target.Info, target.RootHash, target.Pages);
        transfer.Tell("comparing", from);
        node.Log.Info($"shard {transfer.Shard}: taking over node {from}'s checkpoint at {target.Info.Index}, {target.Pages} pages");
        return true;
    }

    /// <summary>Keeps questions under way until everything is here, or the peer's checkpoint is gone, or the peer is of no more use.</summary>
    private async Task<Pumped> PumpAsync(NodeId from, ITransferStream stream, CancellationToken stopping)
    {
        bool gone = false;
        while (true)
        {
            while (!gone && stream.Unanswered < TransferLimits.MaxUnanswered)
            {
                int count = adopter.TakeWanted(_names);
                if (count == 0) break;
                if (await stream.AskAsync(_names.AsMemory(0, count), stopping).ConfigureAwait(false) is { } reason) return Left(from, reason);
            }

            if (stream.Unanswered == 0) break;
            TransferAnswer answer = await stream.ReadAsync(stopping).ConfigureAwait(false);
            if (answer.Broken is { } broken) return Left(from, broken);
            gone |= answer.IsGone;
            if (!gone && !TryGive(answer)) return Left(from, "it sent what is not the page named");
            if (++_answers % TellEvery == 0) transfer.Tell(adopter.IsComparing ? "comparing" : "fetching", from);
        }

        if (gone) return Pumped.Gone;
        return adopter.HasAll ? Pumped.Whole : Left(from, $"it does not have everything ({adopter.Outcome})");
    }

    private bool TryGive(TransferAnswer answer)
    {
        ReadOnlySpan<byte> contents = answer.Contents.Span;
        for (int i = 0; i < answer.Names.Count; i++)
        {
            if (!answer.Found[i]) continue;
            int length = answer.Names[i].ContentBytes;
            if (!adopter.Give(answer.Names[i], contents[..length])) return false;
            contents = contents[length..];
        }

        return true;
    }

    private Pumped Left(NodeId from, string reason)
    {
        node.Log.Warning($"shard {transfer.Shard}: the checkpoint from node {from} did not arrive whole: {reason}");
        return Pumped.Left;
    }
}
