using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>
/// One checkpoint whose pages are given to another node, by name. The slots it reads stay as they are until it is disposed. One
/// thread at a time.
/// </summary>
public sealed class CheckpointReader : IDisposable
{
    /// <summary>So many damaged pages are kept in mind.</summary>
    public const int MostDamaged = 256;

    private readonly IDiskFile _file;
    private readonly SlotFile _slots;
    private readonly Action<CheckpointReader> _onClosed;
    private readonly TableNode _table;
    private readonly Lock _reading = new();
    private readonly List<PageName> _damaged = [];
    private volatile bool _revoked;
    private bool _disposed;

    internal CheckpointReader(IDiskFile file, SlotFile slots, CheckpointState state, TableNode table, Action<CheckpointReader> onClosed)
    {
        _file = file;
        _slots = slots;
        _onClosed = onClosed;
        _table = table;
        State = state;
    }

    public CheckpointInfo Info => State.Superblock.Info;

    /// <summary>The hash of the whole state; readers that agree in it give the same pages.</summary>
    public ulong RootHash => State.Superblock.Root.Hash;

    /// <summary>Pages in this checkpoint.</summary>
    public long Pages => State.Superblock.Pages;

    /// <summary>The first page that could not be read as it was written, null while there was none.</summary>
    public CheckpointDamage? Damage { get; private set; }

    /// <summary>What was asked for and could not be read as it was written, at most <see cref="MostDamaged"/>, and forgets it.</summary>
    public PageName[] TakeDamaged()
    {
        PageName[] damaged = [.. _damaged];
        _damaged.Clear();
        return damaged;
    }

    /// <summary>Whether this checkpoint has this page.</summary>
    public bool Has(in PageName name) => name.Level == 0 && HashAt(name) == name.Hash;

    /// <summary>
    /// Writes a page again where it stands, whole, when it is the one that this checkpoint has there. False when it is not, or the checkpoint is
    /// not kept any more. It is mended once <see cref="SyncMended"/> has returned.
    /// </summary>
    public bool TryMend(in PageName name, ReadOnlySpan<byte> content)
    {
        Invariant.That(!_disposed && name.Level == 0, "a reader in use mends pages");
        lock (_reading)
        {
            TableNode? leaf = NodeAt(1, name.Number / TableNode.FanOut);
            TableEntry entry = leaf?[(int)(name.Number % TableNode.FanOut)] ?? default;
            bool isIt = !entry.IsEmpty && content.Length == PageStore.PageSize && PageRun.Matches(entry, content);
            if (_revoked || !isIt) return false;
            // Whoever reads it meanwhile finds it as damaged as it was.
            _file.WriteAt((long)entry.Slot * PageStore.PageSize, content);
            return true;
        }
    }

    /// <summary>
    /// What <see cref="TryMend"/> wrote is durable. Where the checkpoint was revoked in between its slots are somebody else's, who syncs
    /// them as well. A failure throws, and the process must stop.
    /// </summary>
    public void SyncMended() => _slots.SyncFile();

    /// <summary>Its space was needed for something else: nothing is read any more.</summary>
    public bool IsRevoked => _revoked;

    internal CheckpointState State { get; }

    /// <summary>
    /// Writes what is named into <paramref name="contents"/>, one behind the other, and tells for each name whether it is
    /// <paramref name="found"/>: not when this checkpoint has something else there, and not when its page is damaged. Pages
    /// that stand side by side are read at once; each is verified before it is given out. Returns the bytes written: none once it
    /// <see cref="IsRevoked"/>.
    /// </summary>
    public int Read(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents)
    {
        Invariant.That(!_disposed, "a disposed reader is not used");
        lock (_reading)
        {
            if (!_revoked) return ReadAll(names, found, contents);
        }

        found[..names.Length].Clear();
        return 0;
    }

    private int ReadAll(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents)
    {
        int written = 0;
        for (int i = 0; i < names.Length;)
        {
            if (names[i].Level > 0)
            {
                found[i] = TryReadNode(names[i], contents[written..]);
                if (found[i]) written += PageName.NodeBytes;
                i++;
                continue;
            }

            int count = ReadRun(names[i..], found[i..], contents[written..], out int bytes);
            written += bytes;
            i += count;
        }

        return written;
    }

    /// <summary>Its slots are about to be used for something else. Waits for a read that is under way.</summary>
    internal void Revoke()
    {
        lock (_reading) _revoked = true;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _onClosed(this);
    }

    private bool TryReadNode(in PageName name, Span<byte> content)
    {
        TableNode? node = NodeAt(name.Level, name.Number);
        if (node is null || HashAt(name) != name.Hash) return false;
        RemoteNode.Write(node, content);
        return true;
    }

    /// <summary>The longest front part of the names that one read serves; at least one name.</summary>
    private int ReadRun(ReadOnlySpan<PageName> names, Span<bool> found, Span<byte> contents, out int bytes)
    {
        bytes = 0;
        found[0] = false;
        uint first = names[0].Number;
        TableNode? leaf = NodeAt(1, first / TableNode.FanOut);
        int index = (int)(first % TableNode.FanOut);
        if (leaf is null || !IsHeld(leaf[index], names[0])) return 1;
        int count = 1;
        while (count < names.Length && index + count < TableNode.FanOut
            && names[count].Level == 0 && names[count].Number == first + (uint)count
            && leaf[index + count].Slot == leaf[index].Slot + (uint)count && IsHeld(leaf[index + count], names[count]))
        {
            count++;
        }

        int good = PageRun.Read(_file, leaf, index, contents[..(count * PageStore.PageSize)]);
        bytes = good * PageStore.PageSize;
        found[..good].Fill(true);
        if (good == count) return count;
        found[good] = false;
        string what = $"wrong checksum in slot {leaf[index + good].Slot}";
        if (_damaged.Count < MostDamaged) _damaged.Add(names[good]);
        Damage ??= new CheckpointDamage(Info.Index.Value, new PageNumber(first + (uint)good), what);
        return good + 1;
    }

    private static bool IsHeld(in TableEntry entry, in PageName name)
    {
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.PagesOfAnotherIndex)) return !entry.IsEmpty;
#endif
        return !entry.IsEmpty && entry.Hash == name.Hash;
    }

    private ulong HashAt(in PageName name) => name.Level == PageName.RootLevel
        ? RootHash
        : NodeAt(name.Level + 1, name.Number / TableNode.FanOut)?[(int)(name.Number % TableNode.FanOut)].Hash ?? 0;

    private TableNode? NodeAt(int level, uint number) => level switch
    {
        PageName.RootLevel => number == 0 ? _table : null,
        _ => NodeAt(level + 1, number / TableNode.FanOut)?.Child((int)(number % TableNode.FanOut)),
    };
}
