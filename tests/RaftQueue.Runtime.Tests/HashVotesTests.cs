using RaftQueue.Consensus;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime.Tests;

/// <summary>What a node makes of the hashes that others tell of.</summary>
public sealed class HashVotesTests
{
    private static readonly MemberInfo[] Five =
        [.. Enumerable.Range(1, 5).Select(id => new MemberInfo(new NodeId(id), new Incarnation((ulong)id), $"n{id}:1", $"http://n{id}"))];

    /// <param name="voters">How many there are; node 1 is this one.</param>
    /// <param name="told">The hashes of nodes 1, 2, ...; a dot has told nothing.</param>
    /// <param name="expected">By the definition of a majority.</param>
    [Theory]
    [InlineData(3, "a..", "Open")]
    [InlineData(3, "aa.", "Agreed")]
    [InlineData(3, "aab", "Agreed")]
    [InlineData(3, "ab.", "Doubted")]
    [InlineData(3, "abb", "Outvoted")]
    [InlineData(3, "abc", "NobodyAgrees")]
    [InlineData(5, "aa...", "Open")]
    [InlineData(5, "aaa..", "Agreed")]
    [InlineData(5, "aaabb", "Agreed")]
    [InlineData(5, "ab...", "Doubted")]
    [InlineData(5, "abbc.", "Doubted")]
    [InlineData(5, "abbb.", "Outvoted")]
    [InlineData(5, "aabbb", "Outvoted")]
    [InlineData(5, "aabbc", "NobodyAgrees")]
    [InlineData(1, "a", "Agreed")]
    public void MajoritiesDecide(int voters, string told, string expected)
    {
        var votes = new HashVotes();
        for (int i = 1; i < voters; i++)
        {
            if (told[i] != '.') votes.Add(new NodeId(i + 1), told[i]);
        }

        Assert.Equal(expected, votes.Weigh(new NodeId(1), told[0], Five[..voters]).ToString());
    }

    [Fact]
    public void ALearnerIsNotCounted()
    {
        var votes = new HashVotes();
        votes.Add(new NodeId(2), 'b');
        MemberInfo[] others = Five[1..4];
        Assert.Equal(HashVerdict.Doubted, votes.Weigh(new NodeId(1), 'a', others));
        votes.Add(new NodeId(3), 'c');
        Assert.Equal(HashVerdict.Doubted, votes.Weigh(new NodeId(1), 'a', others));
        votes.Add(new NodeId(4), 'b');
        Assert.Equal(HashVerdict.Outvoted, votes.Weigh(new NodeId(1), 'a', others));
    }

    [Fact]
    public void RootsAreJudgedAboveTheNewestPositionThatAMajorityHas()
    {
        var roots = new CheckpointRoots();
        roots.Add(new LogIndex(10), 1);
        roots.Told(new NodeId(2), new LogIndex(10), 2);
        Assert.Equal((HashVerdict.Doubted, new LogIndex(10), 1UL), roots.Judge(new NodeId(1), Five[..3]));
        roots.Add(new LogIndex(20), 3);
        roots.Told(new NodeId(3), new LogIndex(20), 3);
        Assert.Equal(HashVerdict.Open, roots.Judge(new NodeId(1), Five[..3]).Verdict);
        roots.Told(new NodeId(3), new LogIndex(10), 2);
        Assert.Equal(HashVerdict.Open, roots.Judge(new NodeId(1), Five[..3]).Verdict);
        roots.Add(new LogIndex(30), 4);
        roots.Told(new NodeId(2), new LogIndex(30), 5);
        roots.Told(new NodeId(3), new LogIndex(30), 5);
        Assert.Equal((HashVerdict.Outvoted, new LogIndex(30), 4UL), roots.Judge(new NodeId(1), Five[..3]));
        roots.KeepOnly(Five[..2]);
        Assert.Equal(HashVerdict.Doubted, roots.Judge(new NodeId(1), Five[..3]).Verdict);
    }

    [Fact]
    public void RootsAreBounded()
    {
        var roots = new CheckpointRoots();
        for (int i = 1; i <= 100; i++)
        {
            roots.Add(new LogIndex(i), (ulong)i);
            roots.Told(new NodeId(2), new LogIndex(101 - i), 0);
        }

        Assert.Equal(CheckpointRoots.Kept, roots.Own.Count);
        Assert.Equal(Enumerable.Range(93, CheckpointRoots.Kept), roots.Own.Select(own => (int)own.Index.Value));
        // Of the other too the highest are kept, in whatever order they came.
        Assert.Equal(new LogIndex(100), roots.Judge(new NodeId(1), Five[..3]).Index);
    }
}
