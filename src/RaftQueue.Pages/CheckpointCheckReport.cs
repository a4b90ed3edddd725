namespace RaftQueue.Pages;

/// <summary>What <see cref="CheckpointCheck"/> found.</summary>
public sealed class CheckpointCheckReport
{
    /// <summary>A peer's checkpoint was being taken over: what of it is in free slots serves the next start.</summary>
    public bool WasFetching { get; internal set; }

    /// <summary>So many are listed; the rest is only counted.</summary>
    public const int MaxListed = 1000;

    private readonly List<CheckpointDamage> _damage = [];

    /// <summary>The checkpoints with a readable superblock, newest first.</summary>
    public IList<CheckpointInfo> Checkpoints { get; } = [];

    /// <summary>What is wrong, at most <see cref="MaxListed"/>.</summary>
    public IReadOnlyList<CheckpointDamage> Damage => _damage;

    /// <summary>How much is wrong.</summary>
    public long DamageCount { get; private set; }

    /// <summary>Pages read, those of two checkpoints counted twice.</summary>
    public long PagesRead { get; internal set; }

    /// <summary>Bytes of the file.</summary>
    public long FileBytes { get; internal set; }

    /// <summary>Slots that a checkpoint uses, superblocks aside.</summary>
    public long UsedSlots { get; internal set; }

    /// <summary>Slots that none uses.</summary>
    public long FreeSlots { get; internal set; }

    /// <summary>Nothing is wrong.</summary>
    public bool IsClean => DamageCount == 0;

    internal void Add(CheckpointDamage damage)
    {
        DamageCount++;
        if (_damage.Count < MaxListed) _damage.Add(damage);
    }
}
