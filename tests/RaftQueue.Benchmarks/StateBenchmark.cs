using System.Diagnostics;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.Storage;

namespace RaftQueue.Benchmarks;

/// <summary>
/// Fills a state with scheduled jobs of 100 bytes over 30 days, in batches of 1,000, with a checkpoint each 64 MiB of entries
/// written beside and a thread that tends the file, as a node does; then opens it anew and reads jobs at random. Of what holds applying
/// up it tells the longest CPU time too, which is the same on a machine that others use.
/// </summary>
internal sealed class StateBenchmark : IDisposable
{
    private const int Batch = 1000;
    private const long MonthMs = 30L * 86_400_000;
    private const long CheckpointBytes = 64L << 20;
    private const long BeganMs = 1_800_000_000_000;

    private readonly LinuxDisk _disk = new();
    private readonly string _path;
    private readonly PageStoreOptions _options;
    private readonly SplitMix64 _random = new(7);
    private readonly PooledBuffer _body = new(1 << 20);
    private readonly ApplyOutput _output = new() { Local = new Incarnation(1) };
    private CheckpointFile _file;
    private PageStore _pages;
    private JobStore _jobs;
    private Thread? _writing;
    private long _index;
    private (double WallMs, double CpuMs) _longestFreeze;
    private (double WallMs, double CpuMs) _longestEntry;
    private (double WallMs, double CpuMs) _longestSettle;
    private Task _tending = Task.CompletedTask;
    private int _checkpoints;
    private bool _isWarmUp; // code is compiled while it first runs

    private StateBenchmark(string directory, int residentPages)
    {
        _disk.CreateDirectory(directory);
        _path = Path.Combine(directory, "checkpoint");
        _options = new PageStoreOptions
        {
            MaxResidentPages = residentPages,
            Microseconds = static () => (long)(ThreadTime.Ms * 1000), // of work, not of waiting for the disk
        };
        _file = CheckpointFile.OpenOrCreate(_disk, _path, new CheckpointOptions());
        _pages = PageStore.Create(_options, _file);
        _jobs = JobStore.Create(_pages, new ShardId(0));
    }

    public static void Run(string directory, long jobs, int residentPages)
    {
        using var benchmark = new StateBenchmark(directory, residentPages);
        benchmark.Fill(jobs);
        benchmark.Reopen();
        benchmark.ReadAtRandom(jobs, 20_000);
        benchmark.Serve(200);
        Meter.Tell($"peak memory {Meter.PeakMiB} MiB");
    }

    public void Dispose()
    {
        _writing?.Join();
        _tending.Wait();
        _jobs.Dispose();
        _pages.Dispose();
        _file.Dispose();
        _body.Dispose();
        _output.Dispose();
    }

    private void Fill(long jobs)
    {
        var meter = new Meter();
        long bytes = 0;
        for (long done = 0; done < jobs; done += Batch)
        {
            _isWarmUp = _checkpoints < 2;
            bytes += Apply(CommandType.Enqueue, WriteBatch);
            if (bytes < CheckpointBytes || _writing is { IsAlive: true }) continue;
            bytes = 0;
            Checkpoint();
        }

        _writing?.Join();
        Checkpoint();
        _writing!.Join();
        _tending.Wait();
        PageCounters pages = _pages.Counters;
        Meter.Tell(
            $"{jobs} jobs in {meter.WallMs / 1000:F1} s (CPU {meter.CpuMs / 1000:F1} s), {_checkpoints} checkpoints,"
            + $" longest freeze {Text(_longestFreeze)}, longest step afterwards {Text(_longestSettle)}, longest entry {Text(_longestEntry)}");
        Meter.Tell(
            $"{(double)pages.AllocatedPages * PageStore.PageSize / jobs:F1} bytes a job, {pages.AllocatedPages} pages;"
            + $" file {_file.FileBytes >> 20} MiB ({_file.FileBytes / (double)(pages.AllocatedPages * PageStore.PageSize):F2} of the state);"
            + $" resident {Meter.ResidentMiB} MiB; {pages}");
    }

    private void Reopen()
    {
        _jobs.Dispose();
        _pages.Dispose();
        _file.Dispose();
        var meter = new Meter();
        _file = CheckpointFile.OpenOrCreate(_disk, _path, new CheckpointOptions());
        _pages = _file.Load(_options);
        _jobs = JobStore.Open(_pages);
        Meter.Tell(
            $"opened in {meter.WallMs:F0} ms (CPU {meter.CpuMs:F0} ms), {meter.ReadBytes >> 10} KiB read,"
            + $" {_pages.Counters.ResidentPages} pages of {_pages.AllocatedPages} in memory, {_jobs.JobCount} jobs");
    }

    private void ReadAtRandom(long jobs, int reads)
    {
        long before = _pages.Counters.ColdReads;
        var meter = new Meter();
        int found = 0;
        for (int i = 0; i < reads; i++)
        {
            // Slots of 42 records a page, numbered as if there were 64.
            long record = _random.NextBelow(jobs);
            long slot = ((record / 42) << 6 | (record % 42)) + 1;
            _body.Clear();
            if (_jobs.TryWriteJob(new JobId((ulong)record + 1, new ShardId(0), slot), true, new MessagePackWriter(_body))) found++;
        }

        long cold = _pages.Counters.ColdReads - before;
        Meter.Tell(
            $"{reads} reads at random ({found} found): {cold} cold pages, {meter.CpuMs * 1000 / cold:F1} us CPU"
            + $" and {meter.WallMs * 1000 / cold:F1} us for each, all else included");
    }

    /// <summary>Pulls the earliest jobs ahead and schedules them again, a thousand an entry.</summary>
    private void Serve(int rounds)
    {
        var meter = new Meter();
        long cold = _pages.Counters.ColdReads;
        for (int round = 0; round < rounds; round++)
        {
            _output.Clear();
            Apply(CommandType.Lease, writer =>
            {
                LeaseCommand.WriteStart(writer, default, 1);
                writer.WriteString("scheduled"u8);
                LeaseCommand.WriteEnd(writer, 1000, 60_000, "w"u8, MonthMs, 8 << 20);
            });
        }

        cold = _pages.Counters.ColdReads - cold;
        Meter.Tell($"{rounds * 1000} jobs leased ahead: CPU {meter.CpuMs / rounds:F2} ms a thousand, {cold / (double)rounds:F0} cold pages a thousand");
    }

    private void WriteBatch(MessagePackWriter writer)
    {
        Span<byte> payload = stackalloc byte[100];
        payload.Fill((byte)'1');
        EnqueueCommand.WriteStart(writer, default, "scheduled"u8, single: false, Batch);
        for (int i = 0; i < Batch; i++)
            new JobSpec { PayloadKind = PayloadKind.Json, Payload = payload, DelayMs = 3_600_000 + _random.NextBelow(MonthMs) }.Write(writer);
    }

    private int Apply(CommandType type, Action<MessagePackWriter> write)
    {
        _body.Clear();
        write(new MessagePackWriter(_body));
        byte[] entry = new byte[EntryHeader.Size + CommandFrame.HeaderSize + _body.Length];
        var frame = new CommandFrame((ushort)type, new Incarnation(2), (ulong)++_index, _body.WrittenSpan);
        int length = frame.Write(entry.AsSpan(EntryHeader.Size));
        var header = new EntryHeader(
            EntryHeader.CurrentFormat, EntryHeader.CurrentApplyLevel, new ShardId(0), 1, new Term(1), new LogIndex(_index), BeganMs, length);
        header.Seal(entry);
        _output.Clear();
        Longest(ref _longestEntry, () => _jobs.Apply(header, entry, _output));
        Longest(ref _longestSettle, () => _pages.Settle());
        if (_pages.WantsTending && _tending.IsCompleted) _tending = Task.Run(() => _pages.TendFile());
        return entry.Length;
    }

    private void Longest(ref (double WallMs, double CpuMs) longest, Action work)
    {
        double cpu = ThreadTime.Ms;
        long begin = Stopwatch.GetTimestamp();
        work();
        if (_isWarmUp) return;
        longest.WallMs = Math.Max(longest.WallMs, Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        longest.CpuMs = Math.Max(longest.CpuMs, ThreadTime.Ms - cpu);
    }

    private static string Text((double WallMs, double CpuMs) longest) => $"{longest.WallMs:F3} ms (CPU {longest.CpuMs:F3})";

    private void Checkpoint()
    {
        if (_pages.IsFrozen) return;
        FrozenPages? frozen = null;
        Longest(ref _longestFreeze, () => frozen = _pages.Freeze(new CheckpointInfo
        {
            Index = _jobs.AppliedIndex,
            Term = _jobs.AppliedTerm,
            TimestampMs = _jobs.LastTimestampMs,
            StateHash = _jobs.StateHash,
        }));
        _checkpoints++;
        CheckpointWriter writer = _file.BeginWrite(frozen!);
        _writing = new Thread(() =>
        {
            while (writer.RunOnce())
            {
            }

            writer.Commit();
        });
        _writing.Start();
    }
}
