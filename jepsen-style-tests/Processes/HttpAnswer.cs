using System.Globalization;
using System.Text;
using RaftQueue.Primitives;

namespace RaftQueue.Processes;

/// <summary>What came back for a request; nothing when the connection broke or nobody answered in time.</summary>
/// <param name="Status">0 when nothing came.</param>
/// <param name="Place">The shard and index of <c>RaftQueue-Index</c>; null without one, or with more than one.</param>
/// <param name="Replayed">It is the first outcome of an idempotency key.</param>
/// <param name="Body">Of the answer.</param>
internal sealed record HttpAnswer(int Status, (ShardId Shard, LogIndex Index)? Place, bool Replayed, ReadOnlyMemory<byte> Body)
{
    private const string IndexHeader = "RaftQueue-Index";

    private const string ReplayedHeader = "Idempotency-Replayed";

    public static HttpAnswer None { get; } = new(0, null, false, default);

    /// <summary>From an answer's status line and headers, and its body.</summary>
    public static HttpAnswer Read(int status, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        (ShardId, LogIndex)? place = null;
        bool replayed = false;
        foreach (string line in Encoding.ASCII.GetString(head).Split("\r\n"))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) continue;
            string name = line[..colon];
            if (name.Equals(IndexHeader, StringComparison.OrdinalIgnoreCase)) place = PlaceOf(line[(colon + 1)..].Trim());
            else if (name.Equals(ReplayedHeader, StringComparison.OrdinalIgnoreCase)) replayed = true;
        }

        return new HttpAnswer(status, place, replayed, body.ToArray());
    }

    private static (ShardId, LogIndex)? PlaceOf(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 2
            && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort shard)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long index)
                ? (new ShardId(shard), new LogIndex(index))
                : null;
    }
}
