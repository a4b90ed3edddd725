using System.Text;

namespace RaftQueue.Primitives.Tests;

public sealed class Crc32CTests
{
    [Fact]
    public void TheCheckValueOfTheCatalogueComesOut() =>
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void PartsGiveTheSameAsTheWhole()
    {
        byte[] data = new byte[1000];
        var random = new SplitMix64(7);
        for (int i = 0; i < data.Length; i++) data[i] = (byte)random.NextUInt64();
        uint whole = Crc32C.Compute(data);
        for (int cut = 0; cut <= data.Length; cut += 37)
        {
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
        }
    }

    [Theory]
    [InlineData(2039)]
    [InlineData(2040)]
    [InlineData(2048)]
    [InlineData(4096)]
    [InlineData(9001)]
    public void LongDataGivesWhatItsBytesGiveOneByOne(int length)
    {
        byte[] data = new byte[length];
        var random = new SplitMix64((ulong)length);
        for (int i = 0; i < data.Length; i++) data[i] = (byte)random.NextUInt64();
        uint before = Crc32C.Compute("before"u8);
        uint expected = before;
        for (int i = 0; i < data.Length; i++) expected = Crc32C.Append(expected, data.AsSpan(i, 1));
        Assert.Equal(expected, Crc32C.Append(before, data));
    }
}
