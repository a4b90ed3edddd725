using RaftQueue.Jobs;
using RaftQueue.MessagePack;

namespace RaftQueue.Runtime;

/// <summary>Looks at the state between two entries, for at most a millisecond, and writes what it saw. False: not found.</summary>
public delegate bool StateRead<in TArgument>(JobStore store, TArgument argument, PooledBuffer into);
