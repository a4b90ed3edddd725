using System.Text;
using RaftQueue.Client;

namespace RaftQueue.Commands;

/// <summary>
/// Enqueues a job a line, batch after batch. Batches are confirmed one by one and in order, so when it ends early it can say up to
/// which line everything is enqueued.
/// </summary>
internal sealed class LineEnqueue(RaftQueueClient client, string queue, NewJob template, bool text, bool json, string? key)
{
    private const int MostJobs = 1000;
    private const int JobsOfAKeyedBatch = 100;
    private const int MostBytes = 4 << 20;
    private static readonly Encoding StrictUtf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private long _confirmedLines;
    private long _confirmedJobs;
    private long _duplicates;
    private long _lastProgress = Environment.TickCount64;

    /// <param name="input">The lines.</param>
    /// <param name="skip">Lines that an earlier run has confirmed.</param>
    /// <param name="cancel">Ends the work.</param>
    public async Task<int> RunAsync(Stream input, long skip, CancellationToken cancel)
    {
        // A key names a batch by its first line, so the batches of a repeat must be cut at the same lines.
        bool isKeyed = key is not null;
        var reader = new LineReader(input, isKeyed ? JobsOfAKeyedBatch : MostJobs, isKeyed ? int.MaxValue : MostBytes, wholeBatches: isKeyed);
        long read = 0;
        while (await reader.ReadAsync(cancel) is { Count: > 0 } lines)
        {
            var jobs = new List<NewJob>();
            string? wrong = null;
            for (int i = 0; i < lines.Count && wrong is null; i++)
            {
                long line = read + i + 1;
                if (line > skip) wrong = Add(lines[i], line, jobs);
            }

            int failure = await SendAsync(jobs, read, cancel);
            if (failure != ExitCode.Done) return failure;
            if (wrong is not null) return Fail(wrong);
            read += lines.Count;
            _confirmedLines = Math.Max(skip, read);
            Progress(isLast: false);
        }

        Progress(isLast: true);
        return ExitCode.Done;
    }

    private async Task<int> SendAsync(List<NewJob> jobs, long firstLine, CancellationToken cancel)
    {
        if (jobs.Count == 0) return ExitCode.Done;
        try
        {
            string? batchKey = key is null ? null : $"{key}:{firstLine}";
            foreach (EnqueuedJob job in await client.EnqueueBatchAsync(queue, jobs, batchKey, cancel))
            {
                if (job.Duplicate) _duplicates++;
                if (json) EnqueueCommand.Write(job, json: true);
            }

            _confirmedJobs += jobs.Count;
            return ExitCode.Done;
        }
        catch (RaftQueueException exception)
        {
            int code = await RaftQueueCommand.ReportAsync(exception);
            string open = code == ExitCode.OutcomeUnknown ? $", the {jobs.Count} after them may or may not be" : "";
            await Console.Error.WriteLineAsync($"raftqueue: {Confirmed()}{open}. Go on with --skip {_confirmedLines}.");
            return code;
        }
    }

    /// <summary>Makes a job of a line; says what is wrong with it otherwise. Empty lines are no jobs, unless lines are plain text.</summary>
    private string? Add(byte[] line, long number, List<NewJob> jobs)
    {
        try
        {
            string payload = StrictUtf8.GetString(line);
            if (!text && string.IsNullOrWhiteSpace(payload)) return null;
            jobs.Add(template with { Payload = text ? JsonText.FromString(payload) : JsonText.Parse(payload) });
            return null;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            return $"line {number} is {(text ? "not UTF-8" : "not JSON")}: {exception.Message}";
        }
    }

    private int Fail(string why)
    {
        Console.Error.WriteLine($"raftqueue: {why}");
        Console.Error.WriteLine($"raftqueue: {Confirmed()}; nothing behind that line is.");
        return ExitCode.Failed;
    }

    private string Confirmed() => $"{_confirmedJobs} jobs are confirmed";

    private void Progress(bool isLast)
    {
        long now = Environment.TickCount64;
        if (!isLast && now - _lastProgress < 1000) return;
        _lastProgress = now;
        string duplicates = _duplicates > 0 ? $", {_duplicates} of them duplicates" : "";
        Console.Error.WriteLine(isLast ? $"{_confirmedJobs} jobs enqueued{duplicates}" : $"{_confirmedJobs} jobs …");
    }
}
