using System.Runtime.CompilerServices;

namespace RaftQueue.Jobs.Views;

/// <summary>One number a state.</summary>
[InlineArray(JobStates.Count)]
internal struct StateCounts
{
    private long _first;
}
