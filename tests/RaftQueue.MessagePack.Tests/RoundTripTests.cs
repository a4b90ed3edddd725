using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.MessagePack.Tests;

public sealed class RoundTripTests
{
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(1_000);

    [Fact]
    public void EveryValueReadsBackAndIsReadWhole() => Prop.ForAll(Values.Any.ToArbitrary(), value =>
    {
        byte[] bytes = value.Encode();
        var reader = new MessagePackReader(bytes);
        Value? read = Value.Read(ref reader);
        return value.Equals(read) && reader.IsAtEnd;
    }).Check(s_config);

    [Fact]
    public void SkippingAndTakingRawPassOverExactlyOneValue() => Prop.ForAll(Values.Any.ToArbitrary(), value =>
    {
        byte[] bytes = value.Encode();
        var skipping = new MessagePackReader([.. bytes, 0x01]);
        var taking = new MessagePackReader([.. bytes, 0x01]);
        return skipping.TrySkip() && skipping.Position == bytes.Length
            && taking.TryReadRaw(out ReadOnlySpan<byte> raw) && raw.SequenceEqual(bytes) && taking.Remaining == 1;
    }).Check(s_config);

    [Fact]
    public void NoPrefixOfAValueIsAValue() => Prop.ForAll(Values.Any.ToArbitrary(), value =>
    {
        byte[] bytes = value.Encode();
        int step = Math.Max(1, bytes.Length / 100);
        for (int length = 0; length < bytes.Length; length += step)
        {
            var reader = new MessagePackReader(bytes.AsSpan(0, length));
            if (Value.Read(ref reader) is not null) return false;
            var skipping = new MessagePackReader(bytes.AsSpan(0, length));
            if (skipping.TrySkip() || skipping.Position != 0) return false;
        }

        return true;
    }).Check(s_config);

    [Fact]
    public void EveryIntegerTakesTheSmallestEncoding()
    {
        foreach (Int128 value in Values.Edges())
        {
            int expected = value >= -32 && value <= 127 ? 1
                : value >= sbyte.MinValue && value <= byte.MaxValue ? 2
                : value >= short.MinValue && value <= ushort.MaxValue ? 3
                : value >= int.MinValue && value <= uint.MaxValue ? 5
                : 9;
            Assert.Equal(expected, new Value.Integer(value).Encode().Length);
        }
    }

    [Fact]
    public void SignedAndUnsignedWritersAgreeWhereBothCanWrite()
    {
        foreach (Int128 value in Values.Edges().Where(value => value >= 0 && value <= long.MaxValue))
        {
            using var signed = new PooledBuffer();
            using var unsigned = new PooledBuffer();
            new MessagePackWriter(signed).WriteInt64((long)value);
            new MessagePackWriter(unsigned).WriteUInt64((ulong)value);
            Assert.Equal(signed.WrittenSpan.ToArray(), unsigned.WrittenSpan.ToArray());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(100_000)]
    public void LongContainersAndContentsReadBack(int count)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteString(new byte[count]);
        writer.WriteBinary(new byte[count]);
        writer.WriteArrayHeader(count);
        for (int i = 0; i < count; i++) writer.WriteNil();
        writer.WriteMapHeader(count);
        for (int i = 0; i < 2 * count; i++) writer.WriteBool(true);

        var reader = new MessagePackReader(buffer.WrittenSpan);
        Assert.True(reader.TryReadArrayHeader(out int four) && four == 4);
        Assert.True(reader.TryReadString(out ReadOnlySpan<byte> text) && text.Length == count);
        Assert.True(reader.TryReadBinary(out ReadOnlySpan<byte> binary) && binary.Length == count);
        Assert.True(reader.TryReadArrayHeader(out int items) && items == count);
        for (int i = 0; i < count; i++) Assert.True(reader.TryReadNil());
        Assert.True(reader.TryReadMapHeader(out int pairs) && pairs == count);
        for (int i = 0; i < 2 * count; i++) Assert.True(reader.TryReadBool(out bool flag) && flag);
        Assert.True(reader.IsAtEnd);
    }
}
