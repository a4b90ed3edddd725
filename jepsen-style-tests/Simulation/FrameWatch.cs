using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>Looks at a frame that a node sends; the payload may be used only during the call.</summary>
internal delegate void FrameWatch(NodeId from, Incarnation sender, FrameKind kind, bool urgent, ReadOnlySpan<byte> payload);
