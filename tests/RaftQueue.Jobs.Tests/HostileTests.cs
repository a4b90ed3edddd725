using System.Globalization;
using RaftQueue.Checkers.Model;
using RaftQueue.Jobs.Tests.Model;
using RaftQueue.Jobs.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests;

/// <summary>What nobody should send, and surroundings that must not matter.</summary>
public sealed class HostileTests
{
    private const ulong Seed = 20240607;

    [Fact]
    public void Garbage_bodies_are_invalid_commands_and_change_no_job()
    {
        using var shard = new Shard();
        JobId id = shard.Enqueue("q", new PlainJob { Key = "k", Tags = ["t"] })[0];
        List<LeaseToken> tokens = shard.Lease("q", 1, 1_000_000);
        (CommandType Type, byte[] Body)[] good =
        [
            (CommandType.Settings, Bodies.Settings(new ReplicatedSettings())),
            (CommandType.Enqueue, Bodies.Enqueue("q", false, [new PlainJob { Key = "x", Tags = ["a"], Headers = ["b", "c"], Retry = RetryPolicy.Default }], (1, 1))),
            (CommandType.Lease, Bodies.Lease(["q", "r"], 2, 5, "w")),
            (CommandType.Ack, Bodies.Ack(tokens, "1")),
            (CommandType.Nack, Bodies.Nack(tokens, "e", 1)),
            (CommandType.Extend, Bodies.Extend(tokens, 1_000_000, "5")),
            (CommandType.Release, Bodies.Release(tokens, 5)),
            (CommandType.Reschedule, Bodies.Reschedule(tokens, 5, null, "1", 2)),
            (CommandType.Revoke, Bodies.Revoke(tokens)),
            (CommandType.Cancel, Bodies.Cancel(id, 3)),
            (CommandType.PutQueue, Bodies.PutQueue("q", false, new SettingsPatch { KeepFinished = (true, 5), Defaults = [("priority", 3)] }.Write)),
        ];
        foreach ((CommandType type, byte[] body) in good)
        {
            for (int length = 0; length < body.Length; length++)
                Assert.StartsWith("InvalidCommand", shard.Run(type, body[..length]), StringComparison.Ordinal);
        }

        Assert.Contains("State = Leased", shard.Text(id), StringComparison.Ordinal);
        var random = new SplitMix64(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            (CommandType type, byte[] body) = good[random.NextBelow(good.Length)];
            byte[] changed = [.. body];
            for (long flips = 1 + random.NextBelow(3); flips > 0; flips--) changed[random.NextBelow(changed.Length)] = (byte)random.NextUInt64();
            shard.Now += 1;
            shard.Replica.Apply(Entries.Build(shard.Store.AppliedIndex.Next.Value, shard.Now, [new Command(type, Incarnation.None, 0, changed)]));
        }
    }

    [Fact]
    public void Unknown_commands_are_invalid_and_those_of_consensus_change_nothing()
    {
        using var shard = new Shard();
        Assert.Equal("InvalidCommand at 1", shard.Run((CommandType)900, []));
        shard.Replica.Apply(Entries.Build(2, 5, [new Command((CommandType)CommandFrame.TermStartType, Incarnation.None, 0, [])]));
        Assert.Equal(new LogIndex(2), shard.Store.AppliedIndex);
        Assert.Empty(shard.Replica.Output.Results);
    }

    [Theory]
    [InlineData(",", ".", "-")]
    [InlineData("٫", "٬", "−")]
    [InlineData(";", "'", "~")]
    public void Culture_does_not_matter(string point, string group, string minus)
    {
        // The program runs without culture data, so these are made up: other signs in every number.
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = point;
        culture.NumberFormat.NumberGroupSeparator = group;
        culture.NumberFormat.NegativeSign = minus;
        culture.NumberFormat.PositiveSign = minus + minus;
        CultureInfo before = CultureInfo.CurrentCulture;
        using var here = new Shard();
        using var there = new Shard();
        Story(here);
        try
        {
            CultureInfo.CurrentCulture = culture;
            Story(there);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        ModelRun.SamePages(here.Replica, there.Replica);
    }

    [Fact]
    public void Made_up_tokens_and_ids_find_nothing()
    {
        using var shard = new Shard();
        JobId id = shard.Enqueue("q", new PlainJob())[0];
        LeaseToken token = shard.Lease("q")[0];
        JobId[] wrong =
        [
            id with { Slot = id.Slot + 1 }, id with { Slot = 0 }, id with { Slot = -1 }, id with { Slot = JobId.MaxSlot },
            id with { Slot = long.MinValue }, id with { Sequence = id.Sequence + 1 }, id with { Sequence = 0 },
        ];
        foreach (JobId other in wrong)
        {
            Assert.Equal("none", shard.Text(other));
            Assert.EndsWith("LeaseLost", shard.Run(CommandType.Ack, Bodies.Ack([token with { Job = other }])), StringComparison.Ordinal);
            Assert.StartsWith("JobNotFound", shard.Run(CommandType.Cancel, Bodies.Cancel(other)), StringComparison.Ordinal);
        }

        Assert.Equal("none", shard.Text(id with { Shard = new ShardId(1) }));
        Assert.EndsWith("LeaseLost", shard.Run(CommandType.Ack, Bodies.Ack([token with { Fence = token.Fence + 1 }])), StringComparison.Ordinal);
        Assert.EndsWith("Ok", shard.Run(CommandType.Ack, Bodies.Ack([token])), StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_and_tokens_come_back_from_their_text_and_nothing_else_does()
    {
        var id = new JobId(ulong.MaxValue - 5, new ShardId(513), JobId.MaxSlot - 1);
        Assert.True(JobId.TryParse(System.Text.Encoding.ASCII.GetBytes(id.ToString()), out JobId back));
        Assert.Equal(id, back);
        Assert.True(string.CompareOrdinal(new JobId(9, default, 70).ToString(), new JobId(10, default, 3).ToString()) < 0);
        foreach (ulong fence in new ulong[] { 0, 1, 31, 32, ulong.MaxValue })
        {
            var token = new LeaseToken(id, fence);
            byte[] text = System.Text.Encoding.ASCII.GetBytes(token.ToString());
            Assert.True(LeaseToken.TryParse(text, out LeaseToken parsed));
            Assert.Equal(token, parsed);
            Assert.False(LeaseToken.TryParse([.. text, (byte)'0'], out LeaseToken longer) && longer == token);
        }

        foreach (string bad in new[] { "", id.ToString().ToUpperInvariant(), id + "0", "w" + id.ToString()[1..], "8" + id.ToString()[1..] })
            Assert.False(JobId.TryParse(System.Text.Encoding.ASCII.GetBytes(bad), out _), bad);
        Assert.False(LeaseToken.TryParse(System.Text.Encoding.ASCII.GetBytes(id + ".01"), out _));
        Assert.False(LeaseToken.TryParse(System.Text.Encoding.ASCII.GetBytes(id + "."), out _));
    }

    private static void Story(Shard shard)
    {
        var patch = new SettingsPatch { UniqueBy = (true, true), Defaults = [("delayMs", 3), ("keepMs", 50)] };
        shard.Run(CommandType.PutQueue, Bodies.PutQueue("INBOX.i", true, patch.Write));
        shard.Enqueue("INBOX.i", new PlainJob { Payload = "{\"k\":1.5}", Tags = ["I"] }, new PlainJob { Payload = "{\"k\":2}" });
        shard.Advance(10);
        List<LeaseToken> tokens = shard.Lease("INBOX.i", 2, 100);
        shard.Run(CommandType.Nack, Bodies.Nack([tokens[0]], "ı"));
        shard.Run(CommandType.Ack, Bodies.Ack([tokens[1]], "1.5"));
        shard.Advance(100_000);
    }
}
