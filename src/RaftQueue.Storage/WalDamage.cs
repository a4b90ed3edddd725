namespace RaftQueue.Storage;

/// <summary>Bytes of the log that were synced once and cannot be read: from <see cref="From"/> up to <see cref="To"/> of a file.</summary>
internal sealed record WalDamage(string Path, long From, long To, string Meaning)
{
    public override string ToString() => $"'{Path}' offset {From} to {To}: {Meaning}";
}
