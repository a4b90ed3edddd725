namespace RaftQueue.Primitives;

/// <summary>What a file's owner knows about reads to come.</summary>
public enum DiskAdvice
{
    /// <summary>Small reads come anywhere: reading more than was asked for would be wasted.</summary>
    RandomReads,

    /// <summary>This is about to be read: the disk may begin.</summary>
    ReadSoon,

    /// <summary>This is not read again before it is written: memory need not keep it.</summary>
    NotReadAgain,
}
