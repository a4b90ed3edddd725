using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Tests;

public sealed class FinishingCheckerTests
{
    [Theory]
    [InlineData("Overloaded")]
    [InlineData("DiskFull")]
    [InlineData(nameof(ResultCode.StateFull))]
    [InlineData(nameof(ResultCode.QueueFull))]
    [InlineData(nameof(ResultCode.TooManyQueues))]
    [InlineData(nameof(ResultCode.IdempotencyFull))]
    public void Finishing_is_not_refused_for_room_that_new_work_takes(string why)
    {
        foreach (OperationKind kind in new[] { OperationKind.Ack, OperationKind.Nack, OperationKind.Extend, OperationKind.Release, OperationKind.Reschedule, OperationKind.Cancel })
        {
            Made made = new();
            Operation call = made.OnLease(kind, 1, (20, 30), null, 1);
            call.End = OperationEnd.NotApplied;
            call.Refusal = why;
            var violated = Assert.Throws<PropertyViolatedException>(() => FinishingChecker.Check(made.Record()));
            Assert.Equal("P11", violated.Property);
        }
    }

    [Fact]
    public void It_is_refused_where_its_own_room_is_taken_for_want_of_a_leader_or_of_a_place_for_its_key()
    {
        Made made = new();
        Operation full = made.Ack(1, (20, 30), null, 1);
        (full.End, full.Refusal, full.FoundNoRoom) = (OperationEnd.NotApplied, "Overloaded", true);
        Operation leaderless = made.Ack(1, (40, 50), null, 1);
        (leaderless.End, leaderless.Refusal) = (OperationEnd.NotApplied, "NoLeader");
        Operation keyed = made.OnLease(OperationKind.Nack, 1, (60, 70), 5, 1, key: "k", body: "b");
        (keyed.Code, keyed.Refusal) = (ResultCode.IdempotencyFull, nameof(ResultCode.IdempotencyFull));
        Operation enqueue = made.Enqueue(2, (80, 90), null);
        (enqueue.End, enqueue.Refusal) = (OperationEnd.NotApplied, "DiskFull");
        FinishingChecker.Check(made.Record());
    }
}
