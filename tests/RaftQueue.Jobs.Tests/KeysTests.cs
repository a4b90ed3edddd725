using System.Text;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Tests.Support;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests;

/// <summary>Unique keys, idempotency keys and request numbers.</summary>
public sealed class KeysTests
{
    [Fact]
    public void A_key_until_leased_is_free_from_the_first_lease_and_a_retry_does_not_take_it_back()
    {
        using var shard = new Shard();
        var job = new PlainJob { Key = "k", Until = UniqueUntil.Leased };
        shard.Enqueue("q", job);
        shard.Run(CommandType.Nack, Bodies.Nack(shard.Lease("q"), delayMs: 0));
        Assert.Contains("2 Ready created", shard.Run(CommandType.Enqueue, Bodies.Enqueue("q", false, [job])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_holds_the_key_even_when_the_holder_is_forgotten()
    {
        using var shard = new Shard();
        var job = new PlainJob { Key = "k", Until = UniqueUntil.Window, WindowMs = 1000, KeepMs = 10 };
        JobId id = shard.Enqueue("q", job)[0];
        shard.Run(CommandType.Ack, Bodies.Ack(shard.Lease("q")));
        shard.Advance(500);
        Assert.Equal("none", shard.Text(id));
        string again = shard.Run(CommandType.Enqueue, Bodies.Enqueue("q", true, [job with { OnConflict = ConflictChoice.Replace }]), single: true);
        Assert.Contains("1 Succeeded duplicate replaced:False", again, StringComparison.Ordinal);
        shard.Advance(500);
        Assert.Contains("2 Ready created", shard.Run(CommandType.Enqueue, Bodies.Enqueue("q", false, [job])), StringComparison.Ordinal);
        Assert.Equal(1, shard.Store.JobCount);
    }

    [Fact]
    public void A_rejecting_job_refuses_its_whole_batch_and_names_the_holder()
    {
        using var shard = new Shard();
        shard.Enqueue("q", new PlainJob { Key = "k" });
        PlainJob[] batch = [new(), new() { Key = "k", OnConflict = ConflictChoice.Reject }, new() { Key = "n" }, new() { Key = "n", OnConflict = ConflictChoice.Reject }];
        Assert.Equal("UniqueConflict at 2\n  1 UniqueConflict 1\n  3 UniqueConflict ", shard.Run(CommandType.Enqueue, Bodies.Enqueue("q", false, batch)));
        Assert.Equal("q [0,1,0,0,0,0,0] oldest 1000000 totals 1/0/0", shard.Replica.Queue("q"));
    }

    [Fact]
    public void A_replayed_lease_gives_the_same_leases_while_they_live()
    {
        using var shard = new Shard();
        shard.Enqueue("q", new PlainJob(), new PlainJob(), new PlainJob());
        byte[] lease = Bodies.Lease(["q"], 2, 1000, idempotency: (1, 1));
        shard.Run(CommandType.Lease, lease);
        List<LeaseToken> first = [.. shard.Tokens];
        Assert.StartsWith("Ok replayed at 2", shard.Run(CommandType.Lease, lease), StringComparison.Ordinal);
        Assert.Equal(first, shard.Tokens);
        shard.Run(CommandType.Ack, Bodies.Ack([first[0]]));
        Assert.StartsWith("Ok replayed at 2", shard.Run(CommandType.Lease, lease), StringComparison.Ordinal);
        Assert.Equal([first[1]], shard.Tokens);
        Assert.Equal("IdempotencyConflict at 6", shard.Run(CommandType.Lease, Bodies.Lease(["q"], 3, 1000, idempotency: (1, 2))));
    }

    [Fact]
    public void A_lease_that_found_nothing_does_not_use_its_key_and_no_lease_uses_its_number()
    {
        using var replica = new Replica();
        var lease = new Command(CommandType.Lease, Replica.Local, 7, Bodies.Lease(["q"], idempotency: (1, 1)));
        replica.Apply(Entries.Build(1, 5, [lease]));
        Assert.Equal(new GrantOutcome(Replica.Local, 7, 0, ResultCode.Empty), Assert.Single(replica.Output.Grants));
        replica.Apply(Entries.Build(2, 5, [new Command(CommandType.Enqueue, Replica.Local, 8, Bodies.Enqueue("q", true, [new PlainJob()])), lease, lease]));
        // The third is a repeat under the key: the same lease, not another one.
        Assert.Equal([ResultCode.Ok, ResultCode.Ok, ResultCode.Ok], replica.Output.Results.Select(result => result.Code));
        Assert.Equal([(1, ResultCode.Ok), (1, ResultCode.Ok)], replica.Output.Grants.Select(grant => (grant.Granted, grant.Code)));
    }

    [Fact]
    public void Request_numbers_slide_and_the_65th_origin_takes_the_oldest_place()
    {
        using var replica = new Replica();
        long index = 0;
        ResultCode Apply(ulong origin, ulong number)
        {
            replica.Output.Local = new Incarnation(origin);
            replica.Apply(Entries.Build(++index, 5, [new Command(CommandType.PutQueue, new Incarnation(origin), number, Bodies.PutQueue("q", true, new SettingsPatch().Write))]));
            return Assert.Single(replica.Output.Results).Code;
        }

        Assert.Equal(ResultCode.Ok, Apply(1, 1UL << 40));
        Assert.Equal(ResultCode.Ok, Apply(1, (1UL << 40) - 1));
        Assert.Equal(ResultCode.DuplicateRequest, Apply(1, 1UL << 40));
        Assert.Equal(ResultCode.Ok, Apply(1, (1UL << 40) + RequestWindows.Window - 1));
        Assert.Equal(ResultCode.DuplicateRequest, Apply(1, 1UL << 40));
        Assert.Equal(ResultCode.DuplicateRequest, Apply(1, (1UL << 40) - 1));
        Assert.Equal(ResultCode.Ok, Apply(1, (1UL << 40) + 1));
        Assert.Equal(ResultCode.Ok, Apply(1, 2UL << 40));
        Assert.Equal(ResultCode.DuplicateRequest, Apply(1, (1UL << 40) + 2));
        Assert.Equal(ResultCode.Ok, Apply(1, (2UL << 40) - 1));
        for (ulong origin = 2; origin <= 65; origin++) Assert.Equal(ResultCode.Ok, Apply(origin, 5));
        Assert.Equal(ResultCode.Ok, Apply(1, 2UL << 40));
        Assert.Equal(ResultCode.DuplicateRequest, Apply(65, 5));
    }

    [Theory]
    [InlineData("/a", "{\"a\": {\"x\" : [1, 2.0,\"\\u0041\"]}}", "[{\"x\":[1,2.0,\"A\"]}]")]
    [InlineData("/a", "{\"b\":1}", "[null]")]
    [InlineData("/a", "{\"a\":1,\"a\":2}", "[2]")]
    [InlineData("/l/1", "{\"l\":[10,20]}", "[20]")]
    [InlineData("/l/01", "{\"l\":[10,20]}", "[null]")]
    [InlineData("/l/2", "{\"l\":[10,20]}", "[null]")]
    [InlineData("/x~1y/~0", "{\"x/y\":{\"~\":true}}", "[true]")]
    [InlineData("", "\"\\ud800\"", "[null]")]
    [InlineData("", "12345678901234567890.0", "[12345678901234567890.0]")]
    [InlineData("/a", "{\"a\":", "[null]")]
    [InlineData("/a", "", "[null]")]
    public void Pointers_into_the_payload_make_a_key(string pointer, string payload, string expected)
    {
        using var derived = new DerivedKey();
        ReadOnlySpan<byte> key = derived.Of([Encoding.UTF8.GetBytes(pointer)], PayloadKind.Json, Encoding.UTF8.GetBytes(payload));
        Assert.Equal(expected, Encoding.UTF8.GetString(key));
    }

    [Fact]
    public void A_long_derived_key_becomes_a_digest()
    {
        using var derived = new DerivedKey();
        byte[] payload = Encoding.UTF8.GetBytes($"\"{new string('x', 5000)}\"");
        string key = Encoding.UTF8.GetString(derived.Of([[]], PayloadKind.Json, payload));
        Assert.StartsWith("sha256:", key, StringComparison.Ordinal);
        Assert.Equal(71, key.Length);
    }

    [Fact]
    public void Settings_merge_as_a_merge_patch()
    {
        byte[] target = Command.Encode((in MessagePackWriter writer) =>
        {
            writer.WriteMapHeader(2);
            writer.WriteString("a");
            writer.WriteInt64(1);
            writer.WriteString("m");
            writer.WriteMapHeader(1);
            writer.WriteString("x");
            writer.WriteInt64(1);
        });
        byte[] patch = Command.Encode((in MessagePackWriter writer) =>
        {
            writer.WriteMapHeader(3);
            writer.WriteString("a");
            writer.WriteNil();
            writer.WriteString("m");
            writer.WriteMapHeader(2);
            writer.WriteString("x");
            writer.WriteNil();
            writer.WriteString("y");
            writer.WriteInt64(2);
            writer.WriteString("n");
            writer.WriteInt64(3);
        });
        byte[] expected = Command.Encode((in MessagePackWriter writer) =>
        {
            writer.WriteMapHeader(2);
            writer.WriteString("m");
            writer.WriteMapHeader(1);
            writer.WriteString("y");
            writer.WriteInt64(2);
            writer.WriteString("n");
            writer.WriteInt64(3);
        });
        Assert.Equal(expected, Command.Encode((in MessagePackWriter writer) => Assert.True(MapMerge.TryMerge(target, patch, writer))));
    }
}
