using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Support;
using RaftQueue.Pages;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Jobs.Tests.Model;

/// <summary>Runs steps against the model and two replicas, one of which only follows and is reopened from its pages on the way.</summary>
public sealed class ModelRun : IDisposable
{
    private static readonly string[] QueueNames = ["a", "b", "c", "d"];
    private static readonly ReplicatedSettings Settings = new()
    {
        IdempotencyWindowMs = 4000,
        MaxIdempotencyKeys = 4,
        MaxQueues = 3,
        DefaultKeepMs = 3000,
        DefaultKeepDeadMs = 5000,
        DefaultKeepFinished = 6,
        DefaultMaxAttempts = 3,
        DefaultLeaseMs = 700,
    };

    private readonly Replica _local;
    private readonly Replica _follower;
    private readonly CheckpointFile _localFile = NewFile();
    private readonly CheckpointFile _followerFile = NewFile();
    private CheckpointWriter? _writer;
    private readonly JobModel _model = new(Settings);
    private readonly Dictionary<ulong, JobId> _ids = [];
    private readonly List<LeaseToken> _tokens = [];
    private readonly List<string> _story = [];
    private readonly List<(Command Command, Func<string> Expected, bool Single)> _pending = [];
    private ulong _number;
    private long _now = 1_000_000;
    private long _index;

    /// <param name="localPages">Pages that the local replica has memory for, 0 for all.</param>
    /// <param name="followerPages">The same of the follower.</param>
    public ModelRun(int localPages, int followerPages)
    {
        _local = new Replica(residentPages: localPages, file: _localFile);
        _follower = new Replica(residentPages: followerPages, file: _followerFile);
        _follower.Output.Local = new Incarnation(0xB0B);
        Add(CommandType.Settings, Bodies.Settings(Settings), () => ResultText.Head(ResultCode.Ok, false, _index));
        Flush();
    }

    public static void Check(IReadOnlyList<RawStep> steps, int localPages, int followerPages)
    {
        using var run = new ModelRun(localPages, followerPages);
        try
        {
            foreach (RawStep step in steps) run.Take(step);
            run.Flush();
            run.End();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{failure.Message}\nafter:\n{string.Join("\n", run._story)}", failure);
        }
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _localFile.Dispose();
        _followerFile.Dispose();
        _local.Dispose();
        _follower.Dispose();
    }

    private void Take(RawStep step)
    {
        if (!step.SameEntry)
        {
            Flush();
            _now += step.LaterMs;
        }

        var choices = new Choices(step.Seed);
        switch (step.Verb)
        {
            case 0 or 1 or 2: Enqueue(choices); break;
            case 3 or 4 or 5: Lease(choices); break;
            case 6: Ack(choices); break;
            case 7: Nack(choices); break;
            case 8: Extend(choices); break;
            case 9: Release(choices); break;
            case 10: Reschedule(choices); break;
            case 11: Cancel(choices); break;
            case 12: PutQueue(choices); break;
            case 13: Revoke(choices); break;
            case 14: Again(); break;
            default: Add(CommandType.Tick, Bodies.Empty(), () => ResultText.Head(ResultCode.Ok, false, _index)); break;
        }
    }

    private void Enqueue(Choices choices)
    {
        string queue = choices.OneIn(12) ? choices.Of(QueueNames) : choices.Of("a", "b");
        (int, int)? key = choices.OneIn(8) ? (2 + choices.Below(3), choices.Below(5) / 4) : null;
        bool single = key is null && choices.OneIn(2); // the same key and body here stand for different requests
        var jobs = new List<PlainJob>();
        for (int i = single ? 1 : 1 + choices.Below(4); i > 0; i--) jobs.Add(Job(choices));
        Add(CommandType.Enqueue, Bodies.Enqueue(queue, single, jobs, key), () => _model.Enqueue(queue, single, jobs, key), single);
    }

    private PlainJob Job(Choices choices)
    {
        int schedule = choices.Below(6);
        PlainJob job = new()
        {
            Payload = choices.Of(null, "1", "{\"k\":1}", "{\"k\":2,\"z\":[1.0]}", "{\"z\":0}"),
            Bytes = choices.OneIn(6),
            ContentType = choices.OneIn(8) ? "text/plain" : null,
            Type = choices.OneIn(8) ? "mail" : null,
            Priority = choices.OneIn(3) ? choices.Below(3) : null,
            DelayMs = schedule is 0 or 1 ? choices.Of(0, 1, 300, 1500) : null,
            RunAtMs = schedule == 2 ? _now + choices.Of(-500, 0, 300, 2000) : null,
            Key = choices.OneIn(3) ? choices.Of("x", "y") : null,
            Until = choices.Of(UniqueUntil.Leased, UniqueUntil.Finished, UniqueUntil.Window),
            WindowMs = choices.Of(0, 500, 2500),
            OnConflict = choices.Of(ConflictChoice.Return, ConflictChoice.Reject, ConflictChoice.Replace, ConflictChoice.Replace),
            MaxAttempts = choices.OneIn(3) ? 1 + choices.Below(3) : null,
            Retry = choices.OneIn(2)
                ? new RetryPolicy(choices.Of(BackoffKind.Exponential, BackoffKind.Linear, BackoffKind.Fixed), choices.Of(0, 100, 400), 700, choices.Of(0, 500_000))
                : null,
            ExpireAfterMs = choices.OneIn(4) ? choices.Of(1, 400, 1200) : null,
            KeepMs = choices.OneIn(5) ? choices.Of(0, 800) : null,
            KeepDeadMs = choices.OneIn(5) ? choices.Of(0, 800) : null,
            Tags = choices.OneIn(6) ? choices.OneIn(4) ? [] : ["red", "big"] : null,
            Headers = choices.OneIn(6) ? ["traceparent", "00-1"] : null,
        };
        return job.Key is null ? job with { Until = UniqueUntil.Finished, OnConflict = ConflictChoice.Return } : job;
    }

    private void Lease(Choices choices)
    {
        string[] queues = choices.Of<string[]>(["a"], ["b"], ["a", "b"], ["b", "a", "nope"], ["c", "d"]);
        int max = choices.Of(1, 1, 2, 10);
        long? leaseMs = choices.OneIn(3) ? null : choices.Of(1, 200, 1000);
        string worker = choices.Of("w1", "w2");
        long pullAhead = choices.OneIn(2) ? 1000 : 0;
        (int, int)? key = choices.OneIn(6) ? (choices.Below(2), choices.Below(5) / 4) : null;
        byte[] body = Bodies.Lease(queues, max, leaseMs, worker, pullAhead, 8 << 20, key);
        Add(CommandType.Lease, body, () => _model.Lease(queues, max, leaseMs, worker, pullAhead, key));
    }

    private List<LeaseToken> Pick(Choices choices)
    {
        var picked = new List<LeaseToken>();
        for (int i = 1 + choices.Below(3); i > 0; i--)
        {
            if (_tokens.Count == 0 || choices.OneIn(20))
                picked.Add(new LeaseToken(new JobId(1_000_000, default, choices.Below(300)), (ulong)choices.Below(9)));
            else
                picked.Add(_tokens[^(1 + choices.Below(Math.Min(_tokens.Count, 6)))]);
        }

        return picked;
    }

    /// <summary>A key among two of this verb, and now and then another body under it.</summary>
    private static (int, int)? Key(Choices choices, int first) => choices.OneIn(6) ? (first + choices.Below(2), choices.Below(5) / 4) : null;

    private static List<ModelItem> Items(List<LeaseToken> tokens, Func<LeaseToken, ModelItem> make) => tokens.ConvertAll(token => make(token));

    private void Ack(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        string? result = choices.OneIn(2) ? "{\"ok\":true}" : null;
        (int, int)? key = Key(choices, 5);
        Add(CommandType.Ack, Bodies.Ack(tokens, result, key), () => _model.Ack(Items(tokens, token => new(token) { Text = result }), key));
    }

    private void Nack(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        string? error = choices.OneIn(2) ? "boom" : null;
        long? delay = choices.OneIn(3) ? choices.Of(0, 250) : null;
        bool dead = choices.OneIn(6);
        (int, int)? key = Key(choices, 7);
        Add(
            CommandType.Nack,
            Bodies.Nack(tokens, error, delay, dead, key),
            () => _model.Nack(Items(tokens, token => new(token) { Text = error, DelayMs = delay, Dead = dead }), key));
    }

    private void Extend(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        long leaseMs = choices.Of(1, 100, 3000);
        string? progress = choices.OneIn(2) ? "50" : null;
        (int, int)? key = Key(choices, 9);
        Add(
            CommandType.Extend,
            Bodies.Extend(tokens, leaseMs, progress, key),
            () => _model.Extend(Items(tokens, token => new(token) { LeaseMs = leaseMs, Text = progress }), key));
    }

    private void Release(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        long? delay = choices.OneIn(3) ? choices.Of(0, 400) : null;
        (int, int)? key = Key(choices, 11);
        Add(CommandType.Release, Bodies.Release(tokens, delay, key), () => _model.Release(Items(tokens, token => new(token) { DelayMs = delay }), key));
    }

    private void Reschedule(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        int schedule = choices.Below(3);
        long? delay = schedule == 0 ? choices.Of(0, 500) : null;
        long? runAt = schedule == 1 ? _now + choices.Of(-1, 900) : null;
        string? payload = choices.OneIn(2) ? "\"again\"" : null;
        int? priority = choices.OneIn(3) ? choices.Below(3) : null;
        (int, int)? key = Key(choices, 13);
        ModelItem Item(LeaseToken token) => new(token)
        {
            DelayMs = delay,
            RunAtMs = runAt,
            PayloadKind = payload is null ? null : PayloadKind.Json,
            Payload = payload,
            Priority = priority,
        };
        byte[] body = Bodies.Reschedule(tokens, delay, runAt, payload, priority, key);
        Add(CommandType.Reschedule, body, () => _model.Reschedule(Items(tokens, Item), key));
    }

    private void Revoke(Choices choices)
    {
        List<LeaseToken> tokens = Pick(choices);
        Add(CommandType.Revoke, Bodies.Revoke(tokens), () => _model.Revoke(Items(tokens, token => new(token))));
    }

    private void Cancel(Choices choices)
    {
        JobId id = _ids.Count == 0 || choices.OneIn(20)
            ? new JobId(1_000_000, default, 1)
            : _ids.Values.ElementAt(_ids.Count - 1 - choices.Below(Math.Min(_ids.Count, 8)));
        long? version = choices.OneIn(4) ? 1 + choices.Below(4) : null;
        Add(CommandType.Cancel, Bodies.Cancel(id, version), () => _model.Cancel(id.Sequence, version));
    }

    private void PutQueue(Choices choices)
    {
        string queue = choices.OneIn(8) ? choices.Of(QueueNames) : choices.Of("a", "b");
        var patch = new SettingsPatch
        {
            ReplaceAll = choices.OneIn(3),
            KeepFinished = (choices.OneIn(3), choices.Of<long?>(null, 0, 2)),
            UniqueBy = (choices.OneIn(4), choices.OneIn(2)),
            DefaultsNil = choices.OneIn(10),
            Defaults = [.. ModelSettings.DefaultNames.Where(_ => choices.OneIn(6))
                .Select(name => (name, choices.OneIn(3) ? null : (long?)choices.Of(1, 2, 3)))],
        };
        if (patch.DefaultsNil) patch = patch with { Defaults = [] };
        else patch = patch with { OtherDefaults = OtherDefaults(choices) };
        Put(queue, patch);
    }

    private static List<(string Name, object? Value)> OtherDefaults(Choices choices)
    {
        var defaults = new List<(string, object?)>();
        if (choices.OneIn(6)) defaults.Add(("type", choices.Of(null, "a type")));
        if (choices.OneIn(6)) defaults.Add(("contentType", choices.Of(null, "text/x")));
        if (choices.OneIn(6)) defaults.Add(("tags", choices.Of(null, [], new[] { "t", "u" })));
        if (choices.OneIn(6)) defaults.Add(("headers", choices.OneIn(3) ? null : new ModelMap { [choices.Of("h", "i")] = choices.Of(null, "1", "2") }));
        if (choices.OneIn(6))
        {
            var retry = new ModelMap { ["backoff"] = choices.Of(null, "fixed", "linear"), ["baseMs"] = choices.Of<object?>(null, 70L, 300L) };
            if (choices.OneIn(2)) retry.Set("jitterPpm", choices.Of<object?>(null, 0L, 900_000L));
            defaults.Add(("retry", choices.OneIn(3) ? null : retry));
        }

        return defaults;
    }

    private void Put(string queue, SettingsPatch patch) => Add(
        CommandType.PutQueue,
        Bodies.PutQueue(queue, patch.ReplaceAll, patch.Write),
        () => _model.PutQueue(queue, patch.ReplaceAll, patch.ToMap()));

    /// <summary>The node sends its last request once more, not knowing that it was applied.</summary>
    private void Again()
    {
        if (_pending.Count == 0 || _pending[^1].Command.Type is CommandType.Lease or CommandType.Tick) return;
        _pending.Add((_pending[^1].Command, () => ResultText.Head(ResultCode.DuplicateRequest, false, _index), false));
    }

    private void Add(CommandType type, byte[] body, Func<string> expected, bool single = false) =>
        _pending.Add((new Command(type, Replica.Local, ++_number, body), expected, single));

    private void Flush()
    {
        if (_pending.Count == 0) return;
        byte[] entry = Entries.Build(++_index, _now, _pending.ConvertAll(p => p.Command));
        _local.Apply(entry);
        _follower.Apply(entry);
        Assert.Empty(_follower.Output.Results);
        if (_index % 7 == 0) _follower.Reopen();
        if (_index % 11 == 0) _follower.Reload(_followerFile);
        WriteCheckpoint();
        List<byte[]> results = _local.Results();
        Assert.Equal(_pending.Count, results.Count);
        _model.Index = _index;
        _model.Begin(_now);
        for (int i = 0; i < results.Count; i++) Compare(_pending[i], results[i]);
        _pending.Clear();
        CompareState();
    }

    /// <summary>The local replica goes on while its checkpoint is being written, a slice an entry.</summary>
    private void WriteCheckpoint()
    {
        if (_index % 10 == 3 && _writer is null) _writer = _localFile.BeginWrite(_local.Pages.Freeze(_local.Checkpoint()));
        if (_writer is null) return;
        _writer.RunOnce();
        if (_writer.Outcome == CheckpointOutcome.Writing) return;
        _writer.Commit();
        _writer.Dispose();
        _writer = null;
    }

    private static CheckpointFile NewFile()
    {
        var disk = new FakeDisk();
        disk.CreateDirectory("/data");
        return CheckpointFile.OpenOrCreate(disk, "/data/checkpoint", new CheckpointOptions { ExtentBytes = 64 * 4096, SliceBytes = 4096 });
    }

    private void Compare((Command Command, Func<string> Expected, bool Single) pending, byte[] result)
    {
        var ids = new List<JobId>();
        string actual = ResultText.Of(pending.Command.Type, pending.Single, result, ids, _tokens);
        string expected = pending.Expected();
        _model.GoOn();
        _story.Add($"{_now} {pending.Command.Type}: {expected}");
        Assert.Equal(expected, actual);
        foreach (JobId id in ids) _ids[id.Sequence] = id;
    }

    private void CompareState()
    {
        foreach (ModelJob job in _model.Jobs)
        {
            string? expected = job.Forgotten ? null : job.Shot(withPayload: true).ToString();
            Assert.Equal(expected, _local.Job(_ids[job.Sequence]));
            Assert.Equal(!job.Forgotten && job.State.IsFinished(), _local.Store.IsFinished(_ids[job.Sequence], out bool exists));
            Assert.Equal(!job.Forgotten, exists);
        }

        foreach (string name in QueueNames) Assert.Equal(_model.Queue(name)?.Text(_now), _local.Queue(name));
        Assert.Equal(_model.NextDue, _local.Store.NextDueMs);
        Assert.False(_local.Store.HasDueWork);
        SamePages(_local, _follower);
    }

    /// <summary>Cancels everything, lets all time pass, and looks for what stayed behind.</summary>
    private void End()
    {
        foreach (JobId id in _ids.Values) Add(CommandType.Cancel, Bodies.Cancel(id), () => _model.Cancel(id.Sequence, null));
        Flush();
        foreach (ModelQueue queue in _model.Queues)
        {
            Put(queue.Name, new SettingsPatch { ReplaceAll = true });
        }

        Flush();
        for (int i = 0; i < 3; i++)
        {
            _now += 100_000; // leases run out, what that finished is forgotten
            Add(CommandType.Tick, Bodies.Empty(), () => ResultText.Head(ResultCode.Ok, false, _index));
            Flush();
        }

        Assert.Equal(long.MaxValue, _local.Store.NextDueMs);
        Assert.Equal(0, _local.Store.JobCount);
        using var fresh = new Replica();
        var commands = _model.Queues.Select((queue, i) => new Command(
            CommandType.PutQueue, Replica.Local, (ulong)i + 1, Bodies.PutQueue(queue.Name, true, new SettingsPatch().Write))).ToList();
        if (commands.Count == 0) commands.Add(new Command(CommandType.PutQueue, Replica.Local, 1, [0xc0]));
        fresh.Apply(Entries.Build(1, 1, commands));
        long marked = _number > 1 && _model.Queues.Any() ? 0 : 2;
        Assert.True(_local.Pages.AllocatedPages <= fresh.Pages.AllocatedPages + marked, "pages were not given back");
    }

    public static void SamePages(Replica one, Replica other)
    {
        Assert.Equal(one.Store.StateHash, other.Store.StateHash);
        Assert.Equal(one.Pages.AllocatedPages, other.Pages.AllocatedPages);
        long end = one.Pages.AllocatedPages + one.Pages.FreePages;
        for (uint number = 1; number <= end; number++)
        {
            var page = new PageNumber(number);
            Assert.Equal(one.Pages.IsAllocated(page), other.Pages.IsAllocated(page));
            if (!one.Pages.IsAllocated(page)) continue;
            using PageHandle left = one.Pages.Pin(page, PageIntent.Read);
            using PageHandle right = other.Pages.Pin(page, PageIntent.Read);
            if (!left.Read.SequenceEqual(right.Read)) Assert.Fail($"page {number} differs");
        }
    }
}
