using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Tests.Support;

/// <summary>Writes the body of a command.</summary>
public delegate void BodyWriter(in MessagePackWriter writer);
