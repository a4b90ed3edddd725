namespace RaftQueue.Jobs.State;

/// <summary>A part of a buffer.</summary>
internal readonly record struct ByteRange(int Start, int Length);
