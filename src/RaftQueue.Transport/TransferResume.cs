namespace RaftQueue.Transport;

/// <summary>Which checkpoint was being read, and up to where.</summary>
public sealed record TransferResume(ReadOnlyMemory<byte> Info, long TotalBytes, long Position);
