using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftQueue.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary><c>GET /v1/cluster</c>: what the node that is asked knows, without waiting for a leader.</summary>
internal static class ClusterEndpoints
{
    private static readonly string Version = typeof(ClusterEndpoints).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private static readonly Word[] Phases =
        [.. Enum.GetNames<LoopPhase>().Select(name => new Word(char.ToLowerInvariant(name[0]) + name[1..]))];

    public static void Map(IEndpointRouteBuilder routes, ServerContext server) =>
        routes.MapLook("/v1/cluster", Handling.Of(server, GetAsync));

    private static async Task GetAsync(Exchange exchange)
    {
        var query = new QueryReading(exchange.Http.Request);
        long? hashAt = query.Integer("hashAt", 0, long.MaxValue);
        query.Consistency();
        if (query.End() is { } wrong)
        {
            await exchange.WriteAsync(wrong).ConfigureAwait(false);
            return;
        }

        NodeStatus status = exchange.Node.Status();
        var hashes = new Dictionary<ushort, (LogIndex Index, ulong Hash)?>();
        foreach (ShardStatus shard in status.Shards)
        {
            hashes[shard.Id.Value] = hashAt is not { } index ? (shard.HashIndex, shard.StateHash)
                : await exchange.Node.StateHashAtAsync(shard.Id, new LogIndex(index)).ConfigureAwait(false) is { } hash
                    ? (new LogIndex(index), hash)
                    : null;
        }

        string durability = exchange.Server.Options.QuorumMemory ? "quorum-memory" : "quorum-fsync";
        await exchange.WriteAsync(StatusCodes.Status200OK, (status, hashes, durability), static (reply, known) =>
        {
            Write(reply, known.status, known.hashes, known.durability);
            return true;
        }).ConfigureAwait(false);
    }

    internal static void Write(ReplyWriter reply, NodeStatus status, Dictionary<ushort, (LogIndex Index, ulong Hash)?> hashes, string durability)
    {
        reply.BeginObject();
        reply.Name(Words.ClusterId);
        reply.Value(status.ClusterId);
        reply.Name(Words.NodeId);
        reply.Value((long)status.NodeId.Value);
        reply.Name(Words.Version);
        reply.Value(Version);
        reply.Name(Words.Durability);
        reply.Value(durability);
        reply.Name(Words.Shards);
        reply.BeginArray();
        foreach (ShardStatus shard in status.Shards) WriteShard(reply, shard, hashes[shard.Id.Value]);
        reply.EndArray();
        reply.Name(Words.Loops);
        reply.BeginArray();
        foreach (LoopStatus loop in status.Loops) WriteLoop(reply, loop);
        reply.EndArray();
        reply.EndObject();
    }

    internal static Word NameOf(LoopPhase phase) => Phases[(int)phase];

    private static void WriteLoop(ReplyWriter reply, LoopStatus loop)
    {
        reply.BeginObject();
        reply.Name(Words.NameName);
        reply.Value(loop.Name);
        reply.Name(Words.LongestUs);
        reply.BeginObject();
        foreach ((LoopPhase at, long microseconds) in loop.Longest) Number(reply, NameOf(at), microseconds);
        reply.EndObject();
        reply.EndObject();
    }

    private static void WriteShard(ReplyWriter reply, ShardStatus shard, (LogIndex Index, ulong Hash)? hash)
    {
        reply.BeginObject();
        Number(reply, Words.Id, shard.Id.Value);
        reply.Name(Words.Role);
        reply.Value(shard.Role);
        Number(reply, Words.Term, shard.Term.Value);
        reply.Name(Words.Leader);
        if (shard.Leader.IsNone) reply.Null();
        else reply.Value((long)shard.Leader.Value);
        Number(reply, Words.CommitIndex, shard.CommitIndex.Value);
        Number(reply, Words.AppliedIndex, shard.AppliedIndex.Value);
        Number(reply, Words.LastIndex, shard.LastIndex.Value);
        if (hash is { } known)
        {
            reply.Name(Words.StateHash);
            reply.BeginObject();
            Number(reply, Words.Index, known.Index.Value);
            reply.Name(Words.Hash);
            reply.Value(known.Hash.ToString("x16", CultureInfo.InvariantCulture));
            reply.EndObject();
        }

        reply.Name(Words.Pages);
        reply.BeginObject();
        Number(reply, Words.Allocated, shard.Pages.AllocatedPages);
        Number(reply, Words.Resident, shard.Pages.ResidentPages);
        Number(reply, Words.Changed, shard.Pages.DirtyPages);
        Number(reply, Words.ColdReads, shard.Pages.ColdReads);
        Number(reply, Words.Evictions, shard.Pages.Evictions);
        Number(reply, Words.EvictionWrites, shard.Pages.EvictionWrites);
        Number(reply, Words.EvictionWaits, shard.Pages.EvictionWaits);
        Number(reply, Words.LongestEvictionUs, shard.Pages.LongestEvictionMicroseconds);
        WriteCheckpoint(reply, shard.Checkpoint);
        reply.EndObject();
        reply.Name(Words.Members);
        reply.BeginArray();
        foreach (MemberStatus member in shard.Members) WriteMember(reply, member);
        reply.EndArray();
        if (shard.Transfer is { } transfer) WriteTransfer(reply, transfer);
        if (shard.Mending is { } mending) WriteMending(reply, mending);
        if (shard.InDoubt)
        {
            reply.Name(Words.InDoubt);
            reply.Value(true);
        }

        reply.EndObject();
    }

    private static void WriteCheckpoint(ReplyWriter reply, CheckpointStatus checkpoint)
    {
        Number(reply, Words.LongestPauseUs, checkpoint.LongestPauseMicroseconds);
        Number(reply, Words.FetchedBytes, checkpoint.FetchedBytes);
        Number(reply, Words.MendedPages, checkpoint.MendedPages);
        if (checkpoint.Index == LogIndex.Zero) return;
        reply.Name(Words.Checkpoint);
        reply.BeginObject();
        Number(reply, Words.Index, checkpoint.Index.Value);
        Number(reply, Words.DurationMs, checkpoint.Microseconds / 1000);
        Number(reply, Words.Bytes, checkpoint.Bytes);
        Number(reply, Words.FileBytes, checkpoint.FileBytes);
        reply.EndObject();
    }

    private static void WriteTransfer(ReplyWriter reply, TransferStatus transfer)
    {
        reply.Name(Words.Transfer);
        reply.BeginObject();
        reply.Name(Words.Phase);
        reply.Value(transfer.Phase);
        if (!transfer.From.IsNone) Number(reply, Words.From, transfer.From.Value);
        Number(reply, Words.Index, transfer.Index.Value);
        Number(reply, Words.PagesDone, transfer.PagesDone);
        Number(reply, Words.PagesNeeded, transfer.PagesNeeded);
        Number(reply, Words.Bytes, transfer.Bytes);
        reply.EndObject();
    }

    private static void WriteMending(ReplyWriter reply, MendingStatus mending)
    {
        reply.Name(Words.Mending);
        reply.BeginObject();
        reply.Name(Words.Phase);
        reply.Value(mending.Phase);
        if (!mending.From.IsNone) Number(reply, Words.From, mending.From.Value);
        Number(reply, Words.PagesDone, mending.PagesDone);
        Number(reply, Words.PagesNeeded, mending.PagesNeeded);
        Number(reply, Words.Bytes, mending.Bytes);
        reply.EndObject();
    }

    private static void WriteMember(ReplyWriter reply, MemberStatus member)
    {
        reply.BeginObject();
        Number(reply, Words.Id, member.Id.Value);
        reply.Name(Words.Http);
        reply.Value(member.Http);
        reply.Name(Words.Role);
        reply.Value(member.IsVoter ? Words.Voter : Words.Learner);
        Number(reply, Words.MatchIndex, member.MatchIndex.Value);
        Number(reply, Words.LagMs, member.LagMs);
        reply.Name(Words.Reachable);
        reply.Value(member.Reachable);
        reply.EndObject();
    }

    private static void Number(ReplyWriter reply, Word name, long number)
    {
        reply.Name(name);
        reply.Value(number);
    }
}
