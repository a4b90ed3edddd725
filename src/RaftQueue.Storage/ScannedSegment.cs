using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>A segment file as a scan found it. <see cref="Header"/> is null when it cannot be read.</summary>
internal sealed record ScannedSegment(long Sequence, string Name, string Path, IDiskFile File, SegmentReader Reader, SegmentHeader? Header);
