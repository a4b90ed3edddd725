namespace RaftQueue.Client;

/// <summary>
/// Extends a lease at a third of its length until the handler has finished. Cancels the handler when the lease is lost, when it could
/// not be extended before it ran out, or when somebody asked for the job's cancellation.
/// </summary>
internal sealed class LeaseKeeper
{
    private readonly RaftQueueClient _client;
    private readonly JobRun _run;
    private readonly TimeSpan _length;
    private readonly CancellationTokenSource _cancelHandler;
    private readonly WorkerOptions _options;
    private long _end;

    public LeaseKeeper(
        RaftQueueClient client, JobRun run, TimeSpan length, TimeSpan remaining, CancellationTokenSource cancelHandler, WorkerOptions options)
    {
        _client = client;
        _run = run;
        _length = length;
        _cancelHandler = cancelHandler;
        _options = options;
        _end = Environment.TickCount64 + (long)remaining.TotalMilliseconds;
    }

    /// <summary>Whether the lease has run out as far as this process can tell.</summary>
    public bool IsOver => Environment.TickCount64 >= _end;

    public async Task KeepAsync(CancellationToken handled)
    {
        while (!handled.IsCancellationRequested && !_run.IsLeaseLost)
        {
            double left = Math.Max(0, _end - Environment.TickCount64);
            double pace = (_options.ExtendEvery ?? _length / 3).TotalMilliseconds;
            TimeSpan pause = TimeSpan.FromMilliseconds(Math.Clamp(left / 2, 10, Math.Max(10, pace)));
            await Task.Delay(pause, handled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (handled.IsCancellationRequested) return;
            if (IsOver)
            {
                await LoseAsync().ConfigureAwait(false);
                return;
            }

            await ExtendAsync(handled).ConfigureAwait(false);
        }
    }

    private async Task ExtendAsync(CancellationToken handled)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(handled);
        patience.CancelAfter(TimeSpan.FromMilliseconds(Math.Max(1, _end - Environment.TickCount64)));
        long sent = Environment.TickCount64;
        try
        {
            LeaseResult result = await _client.ExtendAsync(new Extend(_run.Token, _length, _run.Progress), patience.Token).ConfigureAwait(false);
            if (result.Status == LeaseStatus.Ok) _end = sent + (long)(result.Remaining ?? _length).TotalMilliseconds;
            if (result.Status == LeaseStatus.LeaseLost) await LoseAsync().ConfigureAwait(false);
            if (!result.CancelRequested || _run.IsCancelRequested) return;
            _run.RequestCancel();
            await _cancelHandler.CancelAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // The handler is done, or the lease has run out: the loop sees which.
            return;
        }
        catch (RaftQueueException exception)
        {
            _options.OnError?.Invoke(exception);
        }
    }

    private async Task LoseAsync()
    {
        _run.LoseLease();
        await _cancelHandler.CancelAsync().ConfigureAwait(false);
    }
}
