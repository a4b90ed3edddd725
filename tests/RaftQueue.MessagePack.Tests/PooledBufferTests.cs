using System.Buffers;
using System.Runtime.InteropServices;

namespace RaftQueue.MessagePack.Tests;

public sealed class PooledBufferTests
{
    [Fact]
    public void GrowsAndKeepsWhatWasWritten()
    {
        using var buffer = new PooledBuffer(initialBytes: 0);
        for (int i = 0; i < 100_000; i++) buffer.Write([(byte)i]);
        Assert.Equal(100_000, buffer.Length);
        ReadOnlySpan<byte> written = buffer.WrittenSpan;
        for (int i = 0; i < written.Length; i++) Assert.Equal((byte)i, written[i]);
        Assert.Equal(100_000, buffer.WrittenMemory.Length);
    }

    [Fact]
    public void NeverHoldsMoreThanItsBound()
    {
        using var buffer = new PooledBuffer(initialBytes: 0, maxBytes: 10);
        buffer.Write(new byte[6]);
        Assert.True(buffer.HasRoomFor(4));
        Assert.False(buffer.HasRoomFor(5));
        Assert.Throws<InvalidOperationException>(() => buffer.Write(new byte[5]));
        Assert.Equal(6, buffer.Length);
        buffer.Write(new byte[4]);
        Assert.Throws<InvalidOperationException>(() => buffer.Write([1]));
        Assert.Throws<InvalidOperationException>(() => buffer.Advance(1));
        Assert.Equal(10, buffer.Length);
    }

    [Fact]
    public void AnEmptyWriteToAFullBufferIsNothing()
    {
        using var buffer = new PooledBuffer(initialBytes: 0, maxBytes: 256);
        buffer.Write(new byte[256]);
        buffer.Write([]);
        Assert.Equal(256, buffer.Length);
    }

    [Fact]
    public void ClearingTruncatingAndPatching()
    {
        using var buffer = new PooledBuffer();
        buffer.Write([1, 2, 3, 4]);
        buffer.Patch(1, 2).Fill(9);
        buffer.Truncate(3);
        Assert.Equal([1, 9, 9], buffer.WrittenSpan.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Patch(2, 2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(4));
        buffer.Clear();
        Assert.Equal(0, buffer.Length);
    }

    [Fact]
    public void ADisposedBufferTakesNothingMore()
    {
        var buffer = new PooledBuffer();
        buffer.Write([1]);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Equal(0, buffer.Length);
        Assert.Throws<ObjectDisposedException>(() => buffer.Write([1]));
    }

    [Fact]
    public void WritingIntoAReusedBufferAllocatesNothing()
    {
        using var buffer = new PooledBuffer();
        byte[] text = new byte[100];
        WriteJob(buffer, text);
        // The runtime itself may allocate once on this thread when it recompiles a method; the buffer would do so each time.
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 3 && allocated != 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1_000; i++) WriteJob(buffer, text);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    private static void WriteJob(PooledBuffer buffer, byte[] text)
    {
        buffer.Clear();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(4);
        writer.WriteString(text);
        writer.WriteBinary(text);
        writer.WriteUInt64(123_456);
        writer.WriteNil();
    }

    [Theory]
    [InlineData(1024 * 1024 + 1)]
    [InlineData(9_000_000)]
    public void ThePoolKeepsNoLargeArrays(int bytes)
    {
        var buffer = new PooledBuffer(initialBytes: bytes);
        buffer.Write(new byte[bytes]);
        Assert.True(MemoryMarshal.TryGetArray(buffer.WrittenMemory, out ArraySegment<byte> used));
        buffer.Dispose();
        byte[] next = ArrayPool<byte>.Shared.Rent(bytes);
        Assert.NotSame(used.Array, next);
        ArrayPool<byte>.Shared.Return(next);
    }

    [Fact]
    public void WhatWasWrittenStaysWhenItGrowsBeyondThePool()
    {
        using var buffer = new PooledBuffer();
        for (int i = 0; i < 3_000_000; i++) buffer.Write([(byte)(i % 251)]);
        ReadOnlySpan<byte> written = buffer.WrittenSpan;
        Assert.Equal(3_000_000, written.Length);
        for (int i = 0; i < written.Length; i++) Assert.Equal((byte)(i % 251), written[i]);
    }
}
