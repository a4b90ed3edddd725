namespace RaftQueue.Simulation;

/// <summary>What the clients of a run do.</summary>
/// <param name="Shards">Of the cluster they call.</param>
/// <param name="Clients">How many call at once.</param>
/// <param name="Queues">Named q0, q1, ...</param>
/// <param name="ThinkMs">Between a client's calls, on average.</param>
/// <param name="BigPercent">Of a hundred enqueues so many carry up to 200 KB: checkpoints and transfers come from these.</param>
internal sealed record Workload(int Shards, int Clients, int Queues, long ThinkMs, int BigPercent);
