namespace RaftQueue.Jobs.State;

/// <summary>A byte array that grows and is used again. What was in it is lost when it grows by <see cref="Take"/>.</summary>
internal sealed class ScratchBuffer
{
    private const int FirstBytes = 4096;
    private byte[] _bytes = new byte[FirstBytes];

    /// <summary>Exactly <paramref name="length"/> bytes with unknown content, until the next call.</summary>
    public Span<byte> Take(int length)
    {
        if (length > _bytes.Length) _bytes = new byte[Math.Max(length, 2 * _bytes.Length)];
        return _bytes.AsSpan(0, length);
    }
}
