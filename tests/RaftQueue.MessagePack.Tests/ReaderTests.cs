namespace RaftQueue.MessagePack.Tests;

public sealed class ReaderTests
{
    [Theory]
    [InlineData("CC05", 5)]
    [InlineData("CD0005", 5)]
    [InlineData("CE00000005", 5)]
    [InlineData("CF0000000000000005", 5)]
    [InlineData("D005", 5)]
    [InlineData("D0FF", -1)]
    [InlineData("D1FFFF", -1)]
    [InlineData("D2FFFFFFFF", -1)]
    [InlineData("D3FFFFFFFFFFFFFFFF", -1)]
    [InlineData("FF", -1)]
    [InlineData("E0", -32)]
    public void AnyEncodingOfAnIntegerIsAccepted(string hex, long expected)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.True(reader.TryReadInt64(out long value));
        Assert.Equal(expected, value);
        Assert.True(reader.IsAtEnd);
    }

    [Theory]
    [InlineData("A141")]
    [InlineData("D90141")]
    [InlineData("DA000141")]
    [InlineData("DB0000000141")]
    public void AnyEncodingOfAStringIsAccepted(string hex)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.True(reader.TryReadText(out string? text));
        Assert.Equal("A", text);
    }

    [Theory]
    [InlineData("91C0", 1)]
    [InlineData("DC0001C0", 1)]
    [InlineData("DD00000001C0", 1)]
    public void AnyEncodingOfAnArrayHeaderIsAccepted(string hex, int expected)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.True(reader.TryReadArrayHeader(out int count));
        Assert.Equal(expected, count);
        Assert.True(reader.TryReadNil());
    }

    [Theory]
    [InlineData("CA3FC00000", 1.5)]
    [InlineData("CBBFF8000000000000", -1.5)]
    public void FloatsAreReadAsDouble(string hex, double expected)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.True(reader.TryReadDouble(out double value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("D4FF00")]
    [InlineData("D5FF0000")]
    [InlineData("D6FF00000000")]
    [InlineData("D7FF0000000000000000")]
    [InlineData("D8FF00000000000000000000000000000000")]
    [InlineData("C703FF000000")]
    [InlineData("C80003FF000000")]
    [InlineData("C900000003FF000000")]
    [InlineData("CA3FC00000")]
    [InlineData("CB3FF8000000000000")]
    public void ExtensionsAndFloatsAreSkippedWholeOrNotAtAll(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        var whole = new MessagePackReader(bytes);
        Assert.True(whole.TrySkip());
        Assert.True(whole.IsAtEnd);
        var cut = new MessagePackReader(bytes.AsSpan(0, bytes.Length - 1));
        Assert.False(cut.TrySkip());
        Assert.Equal(0, cut.Position);
    }

    [Theory]
    [InlineData("C1")]
    [InlineData("DDFFFFFFFF")]
    [InlineData("DD7FFFFFFFC0C0")]
    [InlineData("DFFFFFFFFF")]
    [InlineData("DF80000000C0C0")]
    [InlineData("DBFFFFFFFF41")]
    [InlineData("C6FFFFFFFF41")]
    [InlineData("C9FFFFFFFFFF41")]
    [InlineData("92C0")]
    [InlineData("81C0")]
    [InlineData("DC")]
    [InlineData("")]
    public void WhatCannotBeAValueIsRefusedByEveryMethod(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        var reader = new MessagePackReader(bytes);
        Assert.False(reader.TrySkip());
        Assert.False(reader.TryReadRaw(out _));
        Assert.False(reader.TryReadArrayHeader(out _));
        Assert.False(reader.TryReadMapHeader(out _));
        Assert.False(reader.TryReadString(out _));
        Assert.False(reader.TryReadText(out _));
        Assert.False(reader.TryReadBinary(out _));
        Assert.False(reader.TryReadInt64(out _));
        Assert.False(reader.TryReadUInt64(out _));
        Assert.False(reader.TryReadInt32(out _));
        Assert.False(reader.TryReadDouble(out _));
        Assert.False(reader.TryReadBool(out _));
        Assert.False(reader.TryReadNil());
        Assert.Equal(0, reader.Position);
    }

    [Fact]
    public void IntegersOutOfRangeAreRefusedAndStay()
    {
        var big = new MessagePackReader(Convert.FromHexString("CFFFFFFFFFFFFFFFFF"));
        Assert.False(big.TryReadInt64(out _));
        Assert.False(big.TryReadInt32(out _));
        Assert.True(big.TryReadUInt64(out ulong value));
        Assert.Equal(ulong.MaxValue, value);

        var negative = new MessagePackReader(Convert.FromHexString("FF"));
        Assert.False(negative.TryReadUInt64(out _));
        Assert.True(negative.TryReadInt32(out int one) && one == -1);

        var beyondInt32 = new MessagePackReader(Convert.FromHexString("CE80000000"));
        Assert.False(beyondInt32.TryReadInt32(out _));
        Assert.True(beyondInt32.TryReadInt64(out long wide) && wide == 0x80000000L);
    }

    [Fact]
    public void TextThatIsNotUtf8IsRefusedAsTextButReadAsBytes()
    {
        var reader = new MessagePackReader([0xa2, 0xc3, 0x28]);
        Assert.False(reader.TryReadText(out _));
        Assert.Equal(0, reader.Position);
        Assert.True(reader.TryReadString(out ReadOnlySpan<byte> utf8));
        Assert.Equal(2, utf8.Length);
    }

    [Fact]
    public void DepthIsBounded()
    {
        foreach (byte opener in new byte[] { 0x91, 0x81 })
        {
            Assert.True(Skips(Nested(opener, MessagePackReader.MaxDepth)));
            Assert.False(Skips(Nested(opener, MessagePackReader.MaxDepth + 1)));
            Assert.False(Skips(Nested(opener, 1_000_000)));
        }
    }

    [Fact]
    public void NilStandsForNotGiven()
    {
        var nils = new MessagePackReader([0xc0, 0xc0, 0xc0, 0xc0, 0xc0]);
        Assert.True(nils.TryReadInt64OrNil(out long? signed) && signed is null);
        Assert.True(nils.TryReadUInt64OrNil(out ulong? unsigned) && unsigned is null);
        Assert.True(nils.TryReadBoolOrNil(out bool? flag) && flag is null);
        Assert.True(nils.TryReadStringOrNil(out _, out bool noString) && noString);
        Assert.True(nils.TryReadBinaryOrNil(out _, out bool noBinary) && noBinary);
        Assert.True(nils.IsAtEnd);

        var given = new MessagePackReader([0xff, 0x01, 0xc3, 0xa0, 0xc4, 0x00]);
        Assert.False(given.TryReadUInt64OrNil(out _));
        Assert.True(given.TryReadInt64OrNil(out signed) && signed == -1);
        Assert.True(given.TryReadUInt64OrNil(out unsigned) && unsigned == 1);
        Assert.True(given.TryReadBoolOrNil(out flag) && flag == true);
        Assert.True(given.TryReadStringOrNil(out ReadOnlySpan<byte> text, out noString) && !noString && text.IsEmpty);
        Assert.True(given.TryReadBinaryOrNil(out ReadOnlySpan<byte> bytes, out noBinary) && !noBinary && bytes.IsEmpty);
        Assert.True(given.IsAtEnd);
    }

    private static bool Skips(byte[] bytes) => new MessagePackReader(bytes).TrySkip();

    /// <summary>Containers of one value (maps with a nil key) one in the other, a nil inside.</summary>
    private static byte[] Nested(byte opener, int depth)
    {
        byte[] unit = opener == 0x81 ? [0x81, 0xc0] : [opener];
        byte[] bytes = new byte[(unit.Length * depth) + 1];
        for (int i = 0; i < depth; i++) unit.CopyTo(bytes, i * unit.Length);
        bytes[^1] = 0xc0;
        return bytes;
    }
}
