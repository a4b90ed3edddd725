using System.ComponentModel;
using System.Text;
using RaftQueue.Client;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>Turns what the command did into the job's outcome, and reports each job on a line.</summary>
internal sealed class WorkRun(ChildCommand command, string name, bool json, CancellationTokenSource abort, CancellationToken stop)
{
    private const int NotFound = 2;
    private const int NotAllowed = 13;

    private int _failed;

    /// <summary>Jobs that did not end well.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Why the command itself cannot be run; the worker has given up then.</summary>
    public string? CannotStart { get; private set; }

    public async Task<JobOutcome> HandleAsync(JobRun run, CancellationToken cancel)
    {
        ChildResult result;
        try
        {
            result = await command.RunAsync(run.Job, cancel);
        }
        catch (Win32Exception exception) when (exception.NativeErrorCode is NotFound or NotAllowed && !name.Contains("{}", StringComparison.Ordinal))
        {
            // No job will fare better: hand this one back rather than spend its attempts.
            CannotStart = exception.Message;
            await abort.CancelAsync();
            return JobOutcome.HandBack();
        }
        catch (Exception exception) when (exception is Win32Exception or ArgumentException)
        {
            return JobOutcome.Failed($"the command could not be started: {exception.Message}");
        }

        cancel.ThrowIfCancellationRequested();
        return Judge(result);
    }

    public void Finished(JobRun run, JobOutcome outcome, LeaseResult result)
    {
        string word = result.Status switch
        {
            LeaseStatus.Ok => outcome.IsSuccess ? "succeeded" : outcome.IsHandBack ? "handed back" : "failed",
            LeaseStatus.LeaseLost => "lease lost",
            LeaseStatus.Invalid => $"refused: {result.Detail}",
            _ => "outcome unknown",
        };
        if (word != "succeeded") Interlocked.Increment(ref _failed);
        string? error = outcome.FailureText;
        if (!json)
        {
            Console.Out.WriteLine($"{run.Job.Id} {word}{(error is null ? "" : ": " + LastLine(error))}");
            return;
        }

        JsonLine.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("id", run.Job.Id);
            writer.WriteString("queue", run.Job.Queue);
            writer.WriteNumber("attempt", run.Job.Attempt);
            writer.WriteNumber("fence", run.Fence);
            writer.WriteString("outcome", word);
            if (error is not null) writer.WriteString("error", error);
            writer.WriteEndObject();
        });
    }

    private JobOutcome Judge(ChildResult result)
    {
        // The terminal's Ctrl-C reaches the command as well: that is no failure of the job.
        if (stop.IsCancellationRequested && result.Exit is 130 or 143) return JobOutcome.HandBack();
        string error = ByteTail.Text(result.Error);
        if (result.Exit != 0) return JobOutcome.Failed(error.Length > 0 ? error : $"exit code {result.Exit}");
        if (result.IsOutputCut) return JobOutcome.Failed("the command printed more than a result may hold (1 MiB)");
        string output = Encoding.UTF8.GetString(result.Output);
        return JobOutcome.Done(JsonText.TryParse(output, out JsonText value, out _) ? value : JsonText.FromString(output));
    }

    private static string LastLine(string text)
    {
        string trimmed = text.TrimEnd();
        return trimmed[(trimmed.LastIndexOf('\n') + 1)..];
    }
}
