using System.Text.Json;
using RaftQueue.Processes;

namespace RaftQueue.Scale;

/// <summary>What a node tells of the pages and checkpoints of its only shard; see <c>GET /v1/cluster</c>.</summary>
/// <param name="CheckpointIndex">Of the newest checkpoint that it wrote itself; 0 before the first, and then all else of it is 0 too.</param>
internal sealed record ShardNumbers(
    long Allocated,
    long Resident,
    long ColdReads,
    long EvictionWaits,
    long LongestPauseUs,
    long LongestEvictionUs,
    long FetchedBytes,
    long CheckpointIndex,
    long CheckpointMs,
    long CheckpointBytes,
    long FileBytes)
{
    public static ShardNumbers? Of(ClusterNode node)
    {
        if (!node.TryGet("/v1/cluster", out byte[] body)) return null;
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement pages = document.RootElement.GetProperty("shards")[0].GetProperty("pages");
        long Number(string name) => pages.GetProperty(name).GetInt64();
        bool wrote = pages.TryGetProperty("checkpoint", out JsonElement checkpoint);
        long OfCheckpoint(string name) => wrote ? checkpoint.GetProperty(name).GetInt64() : 0;
        return new ShardNumbers(
            Number("allocated"),
            Number("resident"),
            Number("coldReads"),
            Number("evictionWaits"),
            Number("longestPauseUs"),
            Number("longestEvictionUs"),
            Number("fetchedBytes"),
            OfCheckpoint("index"),
            OfCheckpoint("durationMs"),
            OfCheckpoint("bytes"),
            OfCheckpoint("fileBytes"));
    }
}
