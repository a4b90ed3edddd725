using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>How far fetching a checkpoint from a peer is.</summary>
/// <param name="Phase">verifying (own pages, after damage), comparing, fetching, waiting (for a peer that can go on), installing.</param>
/// <param name="From">The peer that was asked last; none before the first.</param>
/// <param name="Index">The log index of the checkpoint; zero before one is known.</param>
/// <param name="PagesDone">Pages fetched.</param>
/// <param name="PagesNeeded">Pages that differ, as far as the comparison has come.</param>
/// <param name="Bytes">Bytes of pages and table fetched, also those that a newer checkpoint made useless.</param>
public sealed record TransferStatus(string Phase, NodeId From, LogIndex Index, long PagesDone, long PagesNeeded, long Bytes);
