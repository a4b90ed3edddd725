using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>How far getting damaged pages of the own checkpoint back from peers is.</summary>
/// <param name="Phase">fetching, or waiting (for the first attempt, or because no peer has them now).</param>
/// <param name="From">The peer that is asked; none while waiting.</param>
/// <param name="PagesDone">Pages that are whole again, since the first of these was found.</param>
/// <param name="PagesNeeded">Pages that were found damaged, these included.</param>
/// <param name="Bytes">Bytes of pages fetched for it.</param>
public sealed record MendingStatus(string Phase, NodeId From, long PagesDone, long PagesNeeded, long Bytes);
