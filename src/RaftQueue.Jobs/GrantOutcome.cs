using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>What a lease request of any node got; zero means that it lost a race and still waits.</summary>
public readonly record struct GrantOutcome(Incarnation Origin, ulong RequestNumber, int Granted);
