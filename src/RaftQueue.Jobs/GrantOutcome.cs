using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>
/// What became of a lease request of any node. <see cref="ResultCode.Empty"/>: it lost a race and still waits; anything else
/// (granted, a duplicate, refused) decided it, and the leader forgets its waiter.
/// </summary>
public readonly record struct GrantOutcome(Incarnation Origin, ulong RequestNumber, int Granted, ResultCode Code);
