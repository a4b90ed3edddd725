namespace RaftQueue.Client;

/// <summary>What a handler makes of a job.</summary>
public abstract record JobOutcome
{
    private JobOutcome()
    {
    }

    /// <summary>The job is done.</summary>
    public static JobOutcome Done(JsonText? result = null) => new Success(result);

    /// <summary>The attempt failed: again after <paramref name="delay"/>, or the job's back-off.</summary>
    public static JobOutcome Failed(string error, TimeSpan? delay = null) => new Failure(error, delay, Final: false);

    /// <summary>The job can never succeed: it is dead, whatever attempts are left.</summary>
    public static JobOutcome Dead(string error) => new Failure(error, Delay: null, Final: true);

    /// <summary>Not now: the job goes back and the attempt does not count.</summary>
    public static JobOutcome HandBack(TimeSpan? delay = null) => new Return(delay);

    /// <summary>This run is done, and the same job runs again after <paramref name="delay"/>.</summary>
    public static JobOutcome Again(TimeSpan delay, JsonText? payload = null) => new Repeat(delay, payload);

    /// <summary>Whether the job is acked or rescheduled.</summary>
    public bool IsSuccess => this is Success or Repeat;

    /// <summary>Whether the job goes back without having used an attempt.</summary>
    public bool IsHandBack => this is Return;

    /// <summary>Why the attempt failed; null when it did not.</summary>
    public string? FailureText => (this as Failure)?.Error;

    internal sealed record Success(JsonText? Result) : JobOutcome;

    internal sealed record Failure(string Error, TimeSpan? Delay, bool Final) : JobOutcome;

    internal sealed record Return(TimeSpan? Delay) : JobOutcome;

    internal sealed record Repeat(TimeSpan Delay, JsonText? Payload) : JobOutcome;
}
