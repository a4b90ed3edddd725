using RaftQueue.Jobs.Structures;

namespace RaftQueue.Jobs.Tests.Structures;

public sealed class StableHashTests
{
    // Made with CPython 3.11 (siphash13, PYTHONHASHSEED=0, which is the zero key) over the bytes 0, 1, 2, …
    [Theory]
    [InlineData(1, 0x68a914128e01e473)]
    [InlineData(2, 0x10bac45c41e3669)]
    [InlineData(3, 0x4d4c9a4a8ef6e0ad)]
    [InlineData(7, 0x2f098ab0c751325a)]
    [InlineData(8, 0xead411e67ebe2eea)]
    [InlineData(9, 0x75927f9d95124362)]
    [InlineData(15, 0xf30eb725bb91c9ea)]
    [InlineData(16, 0x8972188433a5c5b7)]
    [InlineData(17, 0x4883c49a2c009c1d)]
    [InlineData(31, 0x169739443111d49b)]
    [InlineData(64, 0x75e05fd5bbc870c6)]
    [InlineData(100, 0x1c6a66e1506e7908)]
    public void Is_siphash_1_3(int length, ulong expected)
    {
        byte[] data = [.. Enumerable.Range(0, length).Select(i => (byte)i)];
        Assert.Equal(expected, StableHash.Hash64(data, 0, 0));
    }

    [Fact]
    public void Is_the_same_for_ever()
    {
        Assert.Equal(FixedEmpty, StableHash.Hash64([]));
        Assert.Equal(FixedDefault, StableHash.Hash64("default"u8));
    }

    [Fact]
    public void The_key_decides() =>
        Assert.NotEqual(StableHash.Hash64("default"u8, 1, 2), StableHash.Hash64("default"u8, 1, 3));

    private const ulong FixedEmpty = 9372677285468198336;
    private const ulong FixedDefault = 8047293992116500368;
}
