using System.Text;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class RunDataTests
{
    private const long Begin = 1_790_000_000_000;

    private sealed record Past(uint Number, string Worker, long StartedAt, AttemptOutcome Outcome, long EndedAt, string Error);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_happened_is_read_again(ulong seed) => Replay.Run(seed, random =>
    {
        using PageStore pages = TestPages.Create();
        BlobStore blobs = Open(pages);
        RunData run = new(blobs), other = new(blobs);
        BlobRef blob = default;
        var expected = new List<Past>();
        long now = Begin;
        string result = "";
        for (int step = 0; step < 300; step++)
        {
            run.Load(blob);
            string worker = random.Below(3) switch { 0 => "", 1 => "worker-a", _ => $"worker-{random.Below(1000)}" };
            now += random.Below(4) == 0 ? 0 : 1L << random.Below(42);
            uint number = (uint)random.Below(300);
            run.Begin(number, Encoding.UTF8.GetBytes(worker), now);
            expected.Add(new Past(number, worker, now, AttemptOutcome.Running, 0, ""));
            Save();
            if (random.Below(10) == 0) continue; // a lease that was taken back leaves its attempt as it is
            run.Load(blob);
            now += random.Below(1 << 20);
            string error = random.Below(2) == 0 ? "" : new string('e', random.Below(300));
            var outcome = (AttemptOutcome)(1 + random.Below(5));
            run.End(outcome, Encoding.UTF8.GetBytes(error), now);
            expected[^1] = expected[^1] with { Outcome = outcome, EndedAt = now, Error = error };
            result = new string('r', random.Below(200));
            run.SetResult(Encoding.UTF8.GetBytes(result));
            run.FinishedAt = random.Below(2) == 0 ? 0 : now;
            Save();
        }

        void Save()
        {
            (long started, long finished, string progress) = (run.StartedAt, run.FinishedAt, Encoding.UTF8.GetString(run.Progress));
            blob = run.Save(blob);
            other.Load(blob);
            Assert.Equal((started, finished, progress, result), (other.StartedAt, other.FinishedAt, Encoding.UTF8.GetString(other.Progress), Encoding.UTF8.GetString(other.Result)));
            Assert.Equal(expected.TakeLast(JobLimits.RememberedAttempts), Attempts(other));
        }
    });

    [Fact]
    public void Ten_runs_by_one_worker_are_small()
    {
        using PageStore pages = TestPages.Create();
        BlobStore blobs = Open(pages);
        var run = new RunData(blobs);
        BlobRef blob = default;
        for (int i = 0; i < 20; i++)
        {
            run.Load(blob);
            run.Begin(1, "worker-of-some-length"u8, Begin + (i * 86_400_000L));
            run.End(AttemptOutcome.Rescheduled, default, Begin + (i * 86_400_000L) + 30_000);
            blob = run.Save(blob);
        }

        Assert.InRange(blobs.Length(blob), 1, 160);
    }

    private static BlobStore Open(PageStore pages) => new(pages, PageNumber.Root, TestPages.HeaderOffset);

    private static IEnumerable<Past> Attempts(RunData run)
    {
        for (int i = 0; i < run.AttemptCount; i++)
        {
            RunAttempt attempt = run.Attempt(i);
            yield return new Past(
                attempt.Number, Encoding.UTF8.GetString(run.Bytes(attempt.Worker)), attempt.StartedAt, attempt.Outcome, attempt.EndedAt, Encoding.UTF8.GetString(run.Bytes(attempt.Error)));
        }
    }
}
