using RaftQueue.Primitives;

namespace RaftQueue.Checkers;

/// <summary>
/// P5, of cluster time, told of what a leader stamps as it does so. A term begins in one step: at the last stamp, or at the median of a
/// majority's wall clocks when that is later. From then on what is added to the leader's monotonic clock changes by at most a tenth of the
/// time that passes, whatever wall clocks do: between any two entries of a term the stamps advance by 0.9 to 1.1 of that clock's
/// time. Stamps never fall along a log. O(1) an entry.
/// </summary>
public sealed class TimeChecker
{
    private const long SlewPercent = 10;
    private const long Millisecond = 1_000;

    /// <summary>A leader corrects its time ten times a second: what the correction that is due next may be, us.</summary>
    private const long DueCorrection = 100_000 * SlewPercent / 100;

    private readonly Dictionary<ShardId, Course> _courses = [];

    /// <summary>A leader stamps the first entry of its term.</summary>
    /// <param name="shard">Its shard.</param>
    /// <param name="term">Its term.</param>
    /// <param name="leader">Who.</param>
    /// <param name="stampMs">What it stamps.</param>
    /// <param name="ownMicroseconds">What its monotonic clock shows.</param>
    /// <param name="lastStampMs">Of the entry in front of it; null where that is not known.</param>
    /// <param name="leastMs">The earliest time that the median may be.</param>
    /// <param name="mostMs">The latest.</param>
    public void Begins(ShardId shard, long term, NodeId leader, long stampMs, long ownMicroseconds, long? lastStampMs, long leastMs, long mostMs)
    {
        string who = $"P5: node {leader} begins term {term} of shard {shard} at {stampMs}";
        Require.That(stampMs >= (lastStampMs ?? 0), $"{who}, {lastStampMs - stampMs} ms before the last stamp");
        Require.That(stampMs >= leastMs, $"{who}, {leastMs - stampMs} ms before what a majority's clocks show");
        bool isHeld = lastStampMs is null || stampMs == lastStampMs;
        Require.That(isHeld || stampMs <= mostMs, $"{who}, {stampMs - mostMs} ms after what a majority's clocks show");
        _courses[shard] = new Course(term, leader, ownMicroseconds, stampMs, Least(stampMs), Most(stampMs));
    }

    /// <summary>A leader stamps a further entry of its term.</summary>
    /// <param name="shard">Its shard.</param>
    /// <param name="term">Its term.</param>
    /// <param name="leader">Who.</param>
    /// <param name="stampMs">What it stamps.</param>
    /// <param name="ownMicroseconds">What its monotonic clock shows.</param>
    /// <param name="isCorrected">It has corrected its time when that was due: a tenth of a pause may be due in front of a membership.</param>
    public void Stamps(ShardId shard, long term, NodeId leader, long stampMs, long ownMicroseconds, bool isCorrected)
    {
        // Not from the beginning on where nobody looked then.
        if (!_courses.TryGetValue(shard, out Course course) || course.Term != term || course.Leader != leader) return;
        long passed = ownMicroseconds - course.At;
        long least = course.Least + (passed * (100 - SlewPercent) / 100);
        long most = course.Most + (passed * (100 + SlewPercent) / 100);
        string Who() => $"P5: node {leader} leads term {term} of shard {shard} and stamps {stampMs}, {stampMs - course.StampMs} ms after the last one, {passed / Millisecond} ms later";
        Require.That(stampMs >= course.StampMs, $"{Who()}: time goes back");
        Require.That(stampMs * Millisecond <= most, $"{Who()}: {stampMs - (most / Millisecond)} ms more than corrections may add");
        Require.That((stampMs + 1) * Millisecond > least, $"{Who()}: {(least / Millisecond) - stampMs} ms less than corrections may leave");
        if (isCorrected)
        {
            most = Math.Min(most, Most(stampMs));
            // The same stamp again may be the last one's, held because a correction brought the clock behind it.
            if (stampMs > course.StampMs) least = Math.Max(least, Least(stampMs));
        }

        _courses[shard] = new Course(term, leader, ownMicroseconds, stampMs, least, most);
    }

    private static long Least(long stampMs) => (stampMs * Millisecond) - DueCorrection;

    private static long Most(long stampMs) => ((stampMs + 1) * Millisecond) + DueCorrection;

    /// <summary>Cluster time in one term, as it was seen last.</summary>
    /// <param name="Least">Its earliest value then, us.</param>
    /// <param name="Most">Its latest.</param>
    private readonly record struct Course(long Term, NodeId Leader, long At, long StampMs, long Least, long Most);
}
