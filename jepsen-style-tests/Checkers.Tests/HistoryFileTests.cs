using RaftQueue.Jobs;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class HistoryFileTests
{
    [Fact]
    public void A_history_is_read_back_as_it_was_written()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1, unique: "u", until: UniqueUntil.Leased, key: "k", body: "b");
        made.Enqueue(2, (1, 11), null);
        made.Enqueue(3, (1, 12), null).End = OperationEnd.NotApplied;
        made.Enqueue(4, (1, 13), 2).Code = ResultCode.UniqueConflict;
        made.Lease(1, (20, 30), 3, 1);
        made.OnLease(OperationKind.Extend, 1, (31, 32), 4, 1, delayMs: 5);
        made.Ack(1, (36, 40), 5, 1, TokenStatus.LeaseLost);
        made.Read(1, (50, 60), 6, JobState.Leased, 2, client: 3);
        made.Add(new Operation { Id = 9, Kind = OperationKind.PutQueue, Shard = new ShardId(2), InvokedNs = 5, Queue = "q" }, null);
        string first = Text(made.Calls);
        History read = HistoryFile.Read(new StringReader(first));
        Assert.Equal(first, Text(read.Operations));
        Assert.Equal(made.Calls.Select(call => call.ToString()), read.Operations.Select(call => call.ToString()));
        Assert.Equal(made.Calls.Select(call => call.End), read.Operations.Select(call => call.End));
        Assert.Equal(UniqueUntil.Leased, read.Operations[0].Jobs[0].Until);
        Assert.Equal(long.MaxValue, read.Operations[8].ReturnedNs);
    }

    [Fact]
    public void A_line_has_the_names_that_the_page_on_reliability_gives()
    {
        Made made = new();
        made.Ack(1, (36, 40), 5, 1);
        string line = Text(made.Calls);
        foreach (string name in new[] { "op", "f", "t_inv", "t_ret", "type", "job", "token", "index" })
            Assert.Contains($"\"{name}\":", line, StringComparison.Ordinal);
        Assert.Contains("\"f\":\"ack\"", line, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"ok\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_that_is_none_is_told_with_its_number()
    {
        Made made = new();
        made.Enqueue(1, (0, 10), 1);
        string text = Text(made.Calls) + "{\"op\":2}\n";
        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => HistoryFile.Read(new StringReader(text))).Message, StringComparison.Ordinal);
    }

    private static string Text(IEnumerable<Operation> calls)
    {
        var into = new StringWriter();
        HistoryFile.Write(into, calls);
        return into.ToString();
    }
}
