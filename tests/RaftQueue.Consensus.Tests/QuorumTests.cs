using RaftQueue.Consensus.Tests.Support;
using RaftQueue.Primitives;

namespace RaftQueue.Consensus.Tests;

public sealed class QuorumTests
{
    /// <summary>The value is that of the quorum-th largest over all voters, not over those that answered.</summary>
    [Theory]
    [InlineData(7, new long[] { 7 })]
    [InlineData(0, new long[] { 7, 0 })]
    [InlineData(5, new long[] { 7, 5, 0 })]
    [InlineData(0, new long[] { 9, 0, 0 })]
    [InlineData(3, new long[] { 9, 3, 1, 3 })]
    [InlineData(4, new long[] { 9, 4, 4, 0, 4 })]
    [InlineData(0, new long[] { 9, 9, 0, 0, 0 })]
    public void ReachedByAMajorityOfAllVoters(long expected, long[] values)
    {
        MembershipRecord members = Entries.Voters([.. Enumerable.Range(1, values.Length)]);
        Assert.Equal(expected, Quorum.Reached(members, id => values[id.Value - 1]));
    }

    [Theory]
    [InlineData(new long[] { 5, 5, 0, 9, 9 }, 5)]
    [InlineData(new long[] { 9, 9, 9, 0, 0 }, 0)]
    [InlineData(new long[] { 0, 0, 7, 9, 9 }, 0)]
    [InlineData(new long[] { 4, 0, 4, 9, 8 }, 4)]
    public void AJointMembershipTakesTheLowerHalf(long[] values, long expected)
    {
        // Outgoing 1 2 3, incoming 3 4 5.
        var members = new MembershipRecord(
            [Entries.Member(3), Entries.Member(4), Entries.Member(5)],
            outgoing: [Entries.Member(1), Entries.Member(2), Entries.Member(3)]);
        Assert.Equal(expected, Quorum.Reached(members, id => values[id.Value - 1]));
    }

    [Fact]
    public void AnIncarnationThatIsGoneAgreesToNothing()
    {
        var members = new MembershipRecord(
            [Entries.Member(1), Entries.Member(2)],
            [Entries.Member(3, 999)],
            [Entries.Member(1), Entries.Member(2), Entries.Member(3)]);
        long[] values = [9, 0, 9];
        Assert.Equal(0, Quorum.Reached(members, id => values[id.Value - 1]));
        Assert.False(members.IsVoter(new NodeId(3)));
        Assert.True(members.Names(new NodeId(3), new Incarnation(999)));
        Assert.False(members.Names(new NodeId(3), Entries.Member(3).Incarnation));
        long[] votes = [1, 0, 1];
        Assert.Equal(VoteTally.Open, Quorum.Tally(members, id => votes[id.Value - 1]));
        votes[1] = -1;
        Assert.Equal(VoteTally.Lost, Quorum.Tally(members, id => votes[id.Value - 1]));
    }

    [Theory]
    [InlineData("+", (int)VoteTally.Won)]
    [InlineData("+0", (int)VoteTally.Open)]
    [InlineData("+-", (int)VoteTally.Lost)]
    [InlineData("++0", (int)VoteTally.Won)]
    [InlineData("+-0", (int)VoteTally.Open)]
    [InlineData("+--", (int)VoteTally.Lost)]
    [InlineData("++--", (int)VoteTally.Lost)]
    [InlineData("++--0", (int)VoteTally.Open)]
    [InlineData("++---", (int)VoteTally.Lost)]
    [InlineData("+++--", (int)VoteTally.Won)]
    public void Votes(string votes, int expected)
    {
        MembershipRecord members = Entries.Voters([.. Enumerable.Range(1, votes.Length)]);
        VoteTally tally = Quorum.Tally(members, id => votes[id.Value - 1] switch { '+' => 1, '-' => -1, _ => 0 });
        Assert.Equal((VoteTally)expected, tally);
    }
}
