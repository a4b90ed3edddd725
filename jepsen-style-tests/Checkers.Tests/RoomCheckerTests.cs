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

    [Fact]
    public void WhatWaitsAndWhatIsStoredIsBounded()
    {
        var node = new NodeId(2);
        RoomChecker.Waiting(node, "reads", waiting: 3, room: 3);
        Assert.StartsWith("P11: 4 reads", Assert.Throws<PropertyViolatedException>(() => RoomChecker.Waiting(node, "reads", 4, 3)).Message, StringComparison.Ordinal);
        RoomChecker.State(node, default, pages: 1_000_000, highWater: 0, atOnce: 10);
        RoomChecker.State(node, default, pages: 110, highWater: 100, atOnce: 10);
        Assert.Throws<PropertyViolatedException>(() => RoomChecker.State(node, default, 111, 100, 10));
        RoomChecker.Keys(node, default, keys: 7, most: 7);
        Assert.Throws<PropertyViolatedException>(() => RoomChecker.Keys(node, default, 8, 7));
    }
}
