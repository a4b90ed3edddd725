namespace RaftQueue.Storage;

/// <summary>What <see cref="StorageCheck"/> found.</summary>
/// <param name="Problems">What is wrong and where: file, offset, shard, index. Empty when all is well.</param>
/// <param name="Notes">What is there.</param>
/// <param name="Logs">The log of each shard, as far as it could be read.</param>
public sealed record CheckReport(IReadOnlyList<string> Problems, IReadOnlyList<string> Notes, IReadOnlyList<CheckedLog> Logs)
{
    public bool IsSound => Problems.Count == 0;
}
