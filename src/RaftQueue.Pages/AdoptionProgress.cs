namespace RaftQueue.Pages;

/// <summary>How far taking over a checkpoint is.</summary>
/// <param name="PagesNeeded">Pages of the checkpoint that this node did not have, as far as the comparison has come.</param>
/// <param name="PagesFetched">Of these, how many are here by now.</param>
/// <param name="BytesFetched">Content taken since the beginning, also what a newer checkpoint made useless.</param>
public readonly record struct AdoptionProgress(long PagesNeeded, long PagesFetched, long BytesFetched);
