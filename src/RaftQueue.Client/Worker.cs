namespace RaftQueue.Client;

/// <summary>
/// Leases jobs and runs a handler on them with bounded concurrency; extends each lease at a third of its length while the handler
/// runs; acks, nacks or hands back by the handler's outcome.
/// </summary>
public sealed class Worker
{
    private static readonly TimeSpan ErrorPause = TimeSpan.FromMilliseconds(500);

    private readonly RaftQueueClient _client;
    private readonly WorkerOptions _options;
    private readonly JobHandler _handler;

    public Worker(RaftQueueClient client, WorkerOptions options, JobHandler handler)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1, nameof(options));
        _client = client;
        _options = options;
        _handler = handler;
    }

    /// <summary>
    /// Works until <paramref name="stop"/>, then waits for the jobs that run. <paramref name="abort"/> cancels those as well and hands
    /// them back.
    /// </summary>
    /// <exception cref="RaftQueueException">The server refuses the lease request itself: another try would not help.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
        var running = new HashSet<Task>();
        long left = _options.MostJobs ?? long.MaxValue;
        try
        {
            while (!ended.IsCancellationRequested && left > 0)
            {
                running.RemoveWhere(task => task.IsCompletedSuccessfully);
                int free = _options.Concurrency - running.Count;
                if (free <= 0)
                {
                    await (await Task.WhenAny(running).ConfigureAwait(false)).ConfigureAwait(false);
                    continue;
                }

                IReadOnlyList<Job>? jobs = await LeaseAsync((int)Math.Min(free, left), ended.Token).ConfigureAwait(false);
                if (jobs is null) continue;
                foreach (Job job in jobs) running.Add(RunJobAsync(job, abort));
                left -= jobs.Count;
                if (jobs.Count > 0 || !_options.StopWhenEmpty) continue;
                if (running.Count == 0) return;
                await (await Task.WhenAny(running).ConfigureAwait(false)).ConfigureAwait(false);
            }
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    /// <summary>Null when nothing came of it and the loop should look around.</summary>
    private async Task<IReadOnlyList<Job>?> LeaseAsync(int most, CancellationToken ended)
    {
        try
        {
            var request = new LeaseRequest(_options.Queues)
            {
                MaxJobs = Math.Min(most, 1000),
                Lease = _options.Lease,
                Wait = _options.StopWhenEmpty ? TimeSpan.Zero : _options.Wait,
                Worker = _options.Name,
            };
            return await _client.LeaseAsync(request, ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return null;
        }
        catch (RaftQueueException exception) when (exception.IsOutcomeUnknown || exception.Status is 0 or 429 or >= 500)
        {
            _options.OnError?.Invoke(exception);
            return await PauseAsync(ended).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<Job>?> PauseAsync(CancellationToken ended)
    {
        await Task.Delay(ErrorPause, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return null;
    }

    private async Task RunJobAsync(Job job, CancellationToken abort)
    {
        string token = job.Lease?.Token ?? throw new RaftQueueException("bad_reply", "A leased job came without its lease.");
        var run = new JobRun(job, token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(abort);
        using var handled = new CancellationTokenSource();
        TimeSpan length = _options.Lease ?? job.Lease.Remaining ?? TimeSpan.FromSeconds(30);
        var keeper = new LeaseKeeper(_client, run, length, job.Lease.Remaining ?? length, cancel, _options);
        Task keeping = keeper.KeepAsync(handled.Token);
        JobOutcome outcome = await HandleAsync(run, cancel.Token, abort).ConfigureAwait(false);
        await handled.CancelAsync().ConfigureAwait(false);
        await keeping.ConfigureAwait(false);
        LeaseResult result = run.IsLeaseLost
            ? new LeaseResult { Token = token, Status = LeaseStatus.LeaseLost }
            : await FinishAsync(run, outcome, keeper).ConfigureAwait(false);
        _options.OnFinished?.Invoke(run, outcome, result);
    }

    private async Task<JobOutcome> HandleAsync(JobRun run, CancellationToken cancel, CancellationToken abort)
    {
        // The handler may block before its first await; the lease's keeper and the other jobs must not wait for that.
        await Task.Yield();
        try
        {
            return await _handler(run, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            return JobOutcome.HandBack();
        }
        catch (Exception exception)
        {
            return JobOutcome.Failed(run.IsCancelRequested ? "cancelled" : exception.Message);
        }
    }

    /// <summary>Tells the server, again and again while the lease lives: the work is done, so giving up early would waste it.</summary>
    private async Task<LeaseResult> FinishAsync(JobRun run, JobOutcome outcome, LeaseKeeper keeper)
    {
        while (true)
        {
            try
            {
                return await SendAsync(run.Token, outcome).ConfigureAwait(false);
            }
            catch (RaftQueueException exception)
            {
                _options.OnError?.Invoke(exception);
                bool pointless = !exception.IsOutcomeUnknown && exception.Status is >= 400 and < 500 and not 429;
                if (pointless) return new LeaseResult { Token = run.Token, Status = LeaseStatus.Invalid, Code = exception.Code, Detail = exception.Message };
                if (keeper.IsOver) return new LeaseResult { Token = run.Token, Status = LeaseStatus.Unknown };
                await Task.Delay(ErrorPause, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private Task<LeaseResult> SendAsync(string token, JobOutcome outcome) => outcome switch
    {
        JobOutcome.Success success => _client.AckAsync(token, success.Result),
        JobOutcome.Failure failure => _client.NackAsync(new Nack(token, failure.Error) { Delay = failure.Delay, Dead = failure.Final ? true : null }),
        JobOutcome.Return back => _client.ReleaseAsync(new Release(token) { Delay = back.Delay }),
        JobOutcome.Repeat again => _client.RescheduleAsync(new Reschedule(token) { Delay = again.Delay, Payload = again.Payload }),
        _ => throw new InvalidOperationException($"No such outcome: {outcome}."),
    };
}
