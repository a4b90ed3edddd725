using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Tests;

public sealed class RoomCheckerTests
{
    [Fact]
    public void A_node_has_no_more_requests_under_way_than_it_has_room_for()
    {
        RoomChecker.Requests(new NodeId(1), underWay: 8, room: 8);
        var violated = Assert.Throws<PropertyViolatedException>(() => RoomChecker.Requests(new NodeId(1), underWay: 9, room: 8));
        Assert.Equal("P11", violated.Property);
        Assert.Contains("node 1 has 9 requests under way, and room for 8", violated.Message, StringComparison.Ordinal);
    }
}
