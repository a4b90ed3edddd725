using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// The first page: what the shard counts, and the headers of its structures. The numbers are worked on here and written at the
/// end of each entry (<see cref="Save"/>); the headers keep themselves.
/// </summary>
internal sealed class RootPage
{
    public const int JobsHeader = 512;
    public const int BlobsHeader = 576;
    public const int TimersHeader = 640;
    public const int UniqueKeysHeader = 704;
    public const int IdempotencyHeader = 768;
    public const int IdempotencyIndexHeader = 832;

    private const ulong Magic = 0x33_73_62_6f_4a_51_52; // "RQJobs3"
    private const int MagicField = 0;
    private const int ShardField = 8;
    private const int RequestsField = 12;
    private const int AppliedIndexField = 16;
    private const int AppliedTermField = 24;
    private const int TimestampField = 32;
    private const int StateHashField = 40;
    private const int SequenceField = 48;
    private const int FenceField = 56;
    private const int QueueDirectoryField = 64;
    private const int HashSeedField = 72;
    private const int SettingsField = 128;

    public ushort Shard { get; private set; }

    /// <summary>The page of <see cref="RequestWindows"/>.</summary>
    public uint RequestsPage { get; private set; }

    public long AppliedIndex { get; set; }

    public long AppliedTerm { get; set; }

    public long LastTimestampMs { get; set; }

    public ulong StateHash { get; set; }

    /// <summary>The sequence of the newest job; 0 before the first.</summary>
    public ulong LastSequence { get; set; }

    /// <summary>The fence of the newest lease; 0 before the first.</summary>
    public ulong LastFence { get; set; }

    /// <summary>Where <see cref="QueueDirectory"/> begins, 0 without a queue.</summary>
    public uint QueueDirectoryPage { get; set; }

    /// <summary>Drawn from the first entry, which holds the members' random incarnations; 0 before it.</summary>
    public ulong HashSeed { get; set; }

#if PLANTED_BUGS
    public byte OwnByte { get; set; }

#endif
    public static RootPage Create(PageStore pages, ShardId shard)
    {
        var root = new RootPage { Shard = shard.Value, RequestsPage = pages.Allocate().Value };
        using PageHandle handle = pages.Pin(PageNumber.Root, PageIntent.Write);
        Invariant.That(handle.Write.GetUInt64(MagicField) == 0, "a new state starts in empty pages");
        handle.Write.SetUInt64(MagicField, Magic);
        handle.Write.SetUInt16(ShardField, root.Shard);
        handle.Write.SetUInt32(RequestsField, root.RequestsPage);
        return root;
    }

    public static RootPage Open(PageStore pages, out ReplicatedSettings settings)
    {
        using PageHandle handle = pages.Pin(PageNumber.Root, PageIntent.Read);
        ReadOnlySpan<byte> page = handle.Read;
        Invariant.That(page.GetUInt64(MagicField) == Magic, "the root page is one of job state");
        settings = ReadSettings(page);
        return new RootPage
        {
            Shard = page.GetUInt16(ShardField),
            RequestsPage = page.GetUInt32(RequestsField),
            AppliedIndex = page.GetInt64(AppliedIndexField),
            AppliedTerm = page.GetInt64(AppliedTermField),
            LastTimestampMs = page.GetInt64(TimestampField),
            StateHash = page.GetUInt64(StateHashField),
            LastSequence = page.GetUInt64(SequenceField),
            LastFence = page.GetUInt64(FenceField),
            QueueDirectoryPage = page.GetUInt32(QueueDirectoryField),
            HashSeed = page.GetUInt64(HashSeedField),
        };
    }

    public static bool IsStateAt(ReadOnlySpan<byte> page, ShardId shard, LogIndex index, ulong stateHash) =>
        page.GetUInt64(MagicField) == Magic && page.GetUInt16(ShardField) == shard.Value
        && page.GetInt64(AppliedIndexField) == index.Value && page.GetUInt64(StateHashField) == stateHash;

    public void Save(PageStore pages, ReplicatedSettings settings)
    {
        using PageHandle handle = pages.Pin(PageNumber.Root, PageIntent.Write);
        Span<byte> page = handle.Write;
        page.SetInt64(AppliedIndexField, AppliedIndex);
        page.SetInt64(AppliedTermField, AppliedTerm);
        page.SetInt64(TimestampField, LastTimestampMs);
        page.SetUInt64(StateHashField, StateHash);
        page.SetUInt64(SequenceField, LastSequence);
        page.SetUInt64(FenceField, LastFence);
        page.SetUInt32(QueueDirectoryField, QueueDirectoryPage);
        page.SetUInt64(HashSeedField, HashSeed);
        WriteSettings(page, settings);
#if PLANTED_BUGS
        page[^1] = OwnByte;
#endif
    }

    private static void WriteSettings(Span<byte> page, ReplicatedSettings settings)
    {
        page.SetInt64(SettingsField, settings.IdempotencyWindowMs);
        page.SetInt64(SettingsField + 8, settings.MaxIdempotencyKeys);
        page.SetInt64(SettingsField + 16, settings.MaxQueues);
        page.SetInt64(SettingsField + 24, settings.DefaultKeepMs);
        page.SetInt64(SettingsField + 32, settings.DefaultKeepDeadMs);
        page.SetInt64(SettingsField + 40, settings.DefaultKeepFinished);
        page.SetInt64(SettingsField + 48, settings.DefaultMaxAttempts);
        page.SetInt64(SettingsField + 56, settings.DefaultLeaseMs);
        page.SetInt64(SettingsField + 64, settings.StateHighWaterPages);
    }

    private static ReplicatedSettings ReadSettings(ReadOnlySpan<byte> page) => new()
    {
        IdempotencyWindowMs = page.GetInt64(SettingsField),
        MaxIdempotencyKeys = page.GetInt64(SettingsField + 8),
        MaxQueues = page.GetInt64(SettingsField + 16),
        DefaultKeepMs = page.GetInt64(SettingsField + 24),
        DefaultKeepDeadMs = page.GetInt64(SettingsField + 32),
        DefaultKeepFinished = page.GetInt64(SettingsField + 40),
        DefaultMaxAttempts = (int)page.GetInt64(SettingsField + 48),
        DefaultLeaseMs = page.GetInt64(SettingsField + 56),
        StateHighWaterPages = page.GetInt64(SettingsField + 64),
    };
}
