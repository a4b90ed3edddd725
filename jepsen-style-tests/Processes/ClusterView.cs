namespace RaftQueue.Processes;

/// <summary>What one node says about the cluster.</summary>
/// <param name="Leader">The leader's id; 0 when the node knows none.</param>
/// <param name="IsEven">This node leads and every member has all of its log.</param>
internal readonly record struct ClusterView(int Leader, bool IsEven);
