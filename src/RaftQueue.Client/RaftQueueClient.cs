using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RaftQueue.Client;

/// <summary>
/// Speaks to a RaftQueue cluster over HTTP. It goes on to the next server when one is gone or has no leader, and repeats what may be
/// repeated: enqueues carry an Idempotency-Key, so an enqueue whose outcome is open is sent again without making a second job.
/// Thread-safe; make one and keep it.
/// </summary>
public sealed class RaftQueueClient : IDisposable
{
    private readonly Caller _caller;
    private readonly RaftQueueClientOptions _options;

    public RaftQueueClient(RaftQueueClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _caller = new Caller(options);
    }

    /// <summary>A client of these servers with everything else as it comes.</summary>
    public RaftQueueClient(params IReadOnlyList<Uri> servers)
        : this(new RaftQueueClientOptions { Servers = servers })
    {
    }

    public void Dispose() => _caller.Dispose();

    /// <summary>Enqueues one job. When the call returns, the job is on the disks of a majority.</summary>
    /// <param name="queue">The queue; created when it does not exist.</param>
    /// <param name="job">The job.</param>
    /// <param name="idempotencyKey">A key of the caller's own, so that even another process may repeat the call; absent means a fresh one.</param>
    /// <param name="cancel">Ends the waiting, not the request: the job may be enqueued all the same.</param>
    /// <exception cref="RaftQueueException">The server refused the job, or could not be reached in time.</exception>
    public async Task<EnqueuedJob> EnqueueAsync(string queue, NewJob job, string? idempotencyKey = null, CancellationToken cancel = default)
    {
        Answer answer = await PostAsync(JobsPath(queue), job, ClientJson.Relaxed.NewJob, idempotencyKey ?? NewKey(), cancel).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.EnqueuedJob);
    }

    /// <summary>Enqueues all the jobs or none, in one step and in order. At most 1,000 jobs and 8 MiB.</summary>
    /// <inheritdoc cref="EnqueueAsync"/>
    public async Task<IReadOnlyList<EnqueuedJob>> EnqueueBatchAsync(
        string queue, IReadOnlyList<NewJob> jobs, string? idempotencyKey = null, CancellationToken cancel = default)
    {
        Answer answer = await PostAsync(
            JobsPath(queue), new EnqueueBatchRequest(jobs), ClientJson.Relaxed.EnqueueBatchRequest, idempotencyKey ?? NewKey(), cancel).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.EnqueueBatchReply).Jobs;
    }

    /// <summary>
    /// Leases jobs. Answers as soon as there is one, and with none after <see cref="LeaseRequest.Wait"/>. A request for one queue is
    /// repeated under one Idempotency-Key, so a lost reply does not lose its leases.
    /// </summary>
    public async Task<IReadOnlyList<Job>> LeaseAsync(LeaseRequest request, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        string? key = request.Queues.Count == 1 ? NewKey() : null;
        Answer answer = await PostAsync("v1/leases", request, ClientJson.Relaxed.LeaseRequest, key, cancel, request.Wait).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.LeaseReply).Jobs;
    }

    /// <summary>Finishes a job as succeeded.</summary>
    public Task<LeaseResult> AckAsync(string token, JsonText? result = null, CancellationToken cancel = default) =>
        SingleAsync(AckAsync([new Ack(token, result)], cancel));

    /// <summary>Finishes jobs as succeeded. What the server could not decide is repeated for the time that the options allow.</summary>
    public Task<IReadOnlyList<LeaseResult>> AckAsync(IReadOnlyList<Ack> acks, CancellationToken cancel = default) =>
        FinishAsync("v1/leases/ack", acks, list => new AckRequest(list), ClientJson.Relaxed.AckRequest, cancel);

    /// <summary>Ends an attempt as failed.</summary>
    public Task<LeaseResult> NackAsync(Nack nack, CancellationToken cancel = default) => SingleAsync(NackAsync([nack], cancel));

    /// <summary>Ends attempts as failed.</summary>
    public Task<IReadOnlyList<LeaseResult>> NackAsync(IReadOnlyList<Nack> nacks, CancellationToken cancel = default) =>
        FinishAsync("v1/leases/nack", nacks, list => new NackRequest(list), ClientJson.Relaxed.NackRequest, cancel);

    /// <summary>Keeps a job longer.</summary>
    public Task<LeaseResult> ExtendAsync(Extend extend, CancellationToken cancel = default) => SingleAsync(ExtendAsync([extend], cancel));

    /// <summary>Keeps jobs longer.</summary>
    public Task<IReadOnlyList<LeaseResult>> ExtendAsync(IReadOnlyList<Extend> extends, CancellationToken cancel = default) =>
        FinishAsync("v1/leases/extend", extends, list => new ExtendRequest(list), ClientJson.Relaxed.ExtendRequest, cancel);

    /// <summary>Hands a job back; the attempt does not count.</summary>
    public Task<LeaseResult> ReleaseAsync(Release release, CancellationToken cancel = default) => SingleAsync(ReleaseAsync([release], cancel));

    /// <summary>Hands jobs back; the attempts do not count.</summary>
    public Task<IReadOnlyList<LeaseResult>> ReleaseAsync(IReadOnlyList<Release> releases, CancellationToken cancel = default) =>
        FinishAsync("v1/leases/release", releases, list => new ReleaseRequest(list), ClientJson.Relaxed.ReleaseRequest, cancel);

    /// <summary>Ends a run as succeeded and schedules the same job again.</summary>
    public Task<LeaseResult> RescheduleAsync(Reschedule reschedule, CancellationToken cancel = default) =>
        SingleAsync(RescheduleAsync([reschedule], cancel));

    /// <summary>Ends runs as succeeded and schedules the same jobs again.</summary>
    public Task<IReadOnlyList<LeaseResult>> RescheduleAsync(IReadOnlyList<Reschedule> reschedules, CancellationToken cancel = default) =>
        FinishAsync(
            "v1/leases/reschedule", reschedules, list => new RescheduleRequest(list), ClientJson.Relaxed.RescheduleRequest, cancel);

    /// <summary>A job, or null when there is none (any more).</summary>
    /// <param name="id">The job's id.</param>
    /// <param name="wait">How long the server may hold the reply until the job is finished.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public async Task<Job?> GetJobAsync(string id, TimeSpan wait = default, CancellationToken cancel = default)
    {
        string path = JobPath(id) + (wait > TimeSpan.Zero ? $"?waitMs={MillisecondsConverter.ToMilliseconds(wait)}" : "");
        return await FindAsync(new Call(HttpMethod.Get, path) { Wait = wait }, "job_not_found", ClientJson.Default.Job, cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// Cancels a job: it is <see cref="JobState.Cancelled"/> at once, or still <see cref="JobState.Leased"/> with
    /// <see cref="Job.CancelRequested"/>. Null when there is no such job.
    /// </summary>
    /// <exception cref="RaftQueueException">Code <c>wrong_state</c>: it has succeeded or is dead.</exception>
    public Task<Job?> CancelAsync(string id, CancellationToken cancel = default) =>
        FindAsync(new Call(HttpMethod.Delete, JobPath(id)), "job_not_found", ClientJson.Default.Job, cancel);

    /// <summary>All queues, by name.</summary>
    public async Task<IReadOnlyList<QueueInfo>> GetQueuesAsync(CancellationToken cancel = default)
    {
        var queues = new List<QueueInfo>();
        string? cursor = null;
        do
        {
            string path = "v1/queues?limit=1000" + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor));
            Answer answer = await _caller.SendAsync(new Call(HttpMethod.Get, path), cancel).ConfigureAwait(false);
            QueuesReply page = answer.Read(ClientJson.Default.QueuesReply);
            queues.AddRange(page.Queues);
            cursor = page.Next;
        }
        while (cursor is not null);
        return queues;
    }

    /// <summary>A queue, or null when there is none of this name.</summary>
    public Task<QueueInfo?> GetQueueAsync(string queue, CancellationToken cancel = default) =>
        FindAsync(new Call(HttpMethod.Get, "v1/queues/" + Uri.EscapeDataString(queue)), "queue_not_found", ClientJson.Default.QueueInfo, cancel);

    /// <summary>The cluster as the node that answers sees it.</summary>
    public async Task<ClusterInfo> GetClusterAsync(CancellationToken cancel = default)
    {
        Answer answer = await _caller.SendAsync(new Call(HttpMethod.Get, "v1/cluster"), cancel).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.ClusterInfo);
    }

    /// <summary>Any GET of the server as JSON, for what this client has no type for.</summary>
    /// <param name="path">Path and query without a leading slash: <c>v1/cluster?hashAt=100</c>.</param>
    /// <param name="wait">How long the path asks the server to hold the reply.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public async Task<JsonDocument> GetJsonAsync(string path, TimeSpan wait = default, CancellationToken cancel = default)
    {
        Answer answer = await _caller.SendAsync(new Call(HttpMethod.Get, path) { Wait = wait }, cancel).ConfigureAwait(false);
        return JsonDocument.Parse(answer.Body);
    }

    private static string JobsPath(string queue) => $"v1/queues/{Uri.EscapeDataString(queue)}/jobs";

    private static string JobPath(string id) => "v1/jobs/" + Uri.EscapeDataString(id);

    private static string NewKey() => Guid.NewGuid().ToString("N");

    private static async Task<LeaseResult> SingleAsync(Task<IReadOnlyList<LeaseResult>> results) => (await results.ConfigureAwait(false))[0];

    private Task<Answer> PostAsync<T>(string path, T body, JsonTypeInfo<T> type, string? key, CancellationToken cancel, TimeSpan wait = default)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(body, type);
        return _caller.SendAsync(new Call(HttpMethod.Post, path) { Body = json, IdempotencyKey = key, Wait = wait }, cancel);
    }

    private async Task<T?> FindAsync<T>(Call call, string notFound, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        try
        {
            return (await _caller.SendAsync(call, cancel).ConfigureAwait(false)).Read(type);
        }
        catch (RaftQueueException exception) when (exception.Code == notFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Sends a list of leases' ends and repeats those that the server answers with <c>not_applied</c> or <c>unknown</c>: each verb is
    /// idempotent until the job is leased again.
    /// </summary>
    private async Task<IReadOnlyList<LeaseResult>> FinishAsync<TItem, TRequest>(
        string path,
        IReadOnlyList<TItem> items,
        Func<IReadOnlyList<TItem>, TRequest> request,
        JsonTypeInfo<TRequest> type,
        CancellationToken cancel)
    {
        var results = new LeaseResult[items.Count];
        List<int> open = [.. Enumerable.Range(0, items.Count)];
        long deadline = Environment.TickCount64 + (long)_options.RetryFor.TotalMilliseconds;
        for (TimeSpan pause = _options.RetryBase; open.Count > 0; pause = pause * 2 < _options.RetryMax ? pause * 2 : _options.RetryMax)
        {
            Answer answer = await PostAsync(path, request([.. open.Select(i => items[i])]), type, key: null, cancel).ConfigureAwait(false);
            IReadOnlyList<LeaseResult> answers = answer.Read(ClientJson.Default.LeaseResultsReply).Results;
            if (answers.Count != open.Count) throw new RaftQueueException("bad_reply", $"{open.Count} results were due, {answers.Count} came.") { IsOutcomeUnknown = true };
            for (int i = 0; i < open.Count; i++) results[open[i]] = answers[i];
            open.RemoveAll(i => results[i].Status is not (LeaseStatus.NotApplied or LeaseStatus.Unknown));
            if (open.Count == 0 || Environment.TickCount64 + pause.TotalMilliseconds >= deadline) break;
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble() / 2), cancel).ConfigureAwait(false);
        }

        return results;
    }
}
