using RaftQueue.Checkers;
using RaftQueue.Jobs;

namespace RaftQueue.Simulation;

/// <summary>A call whose bytes are ready, so that it can be made again under its idempotency key.</summary>
internal sealed record Prepared(Operation Call, CommandType Type, byte[] Body);
