using System.Runtime;

namespace RaftQueue.Runtime.Tests;

public sealed class RehearsalTests
{
    [Fact]
    public void EachKindOfCommandIsAppliedAsInEarnest()
    {
        Assert.Equal(8, Rehearsal.Run());

        // All is compiled: another one compiles next to nothing. (The first use of a method may count once more when it was used often.)
        long before = JitInfo.GetCompiledMethodCount(currentThread: true);
        Rehearsal.Run();
        Assert.InRange(JitInfo.GetCompiledMethodCount(currentThread: true) - before, 0, 10);
    }
}
