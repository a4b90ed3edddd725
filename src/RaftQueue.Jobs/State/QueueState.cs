using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using RaftQueue.Jobs.Structures;
using RaftQueue.Jobs.Views;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>
/// One queue. What changes is worked on here and written to the queue's page at the end of each entry
/// (<see cref="Save"/>); the trees keep themselves in that page.
/// </summary>
internal sealed class QueueState
{
    public const int Priorities = JobLimits.MaxPriority + 1;

    // The page: fixed places, so that a field can be added without moving another.
    private const int NameLengthField = 4;
    private const int FlagsField = 5;
    private const int NameField = 8;
    private const int SettingsField = 136;
    private const int CountsField = 144;
    private const int EnqueuedField = 200;
    private const int SucceededField = 208;
    private const int FailedField = 216;
    private const int FinishedField = 224;
    private const int DeadField = 240;
    private const int ReadyField = 256;
    private const int HeadsField = 416;
    private const int TreesField = 512;
    private const int ListBytes = 2 * sizeof(long);
    private const int TreeBytes = 64;
    private const byte TrimmingFlag = 1;

    private readonly PageStore _pages;
    private StateCounts _counts;
    private ReadyLists _ready;

    public QueueState(PageStore pages, PageNumber page, byte[] name)
    {
        Invariant.That(OrderedTree.HeaderSize <= TreeBytes, "a tree's header fits its place in the queue's page");
        _pages = pages;
        Page = page;
        Name = name;
        Scheduled = new DueTree(new OrderedTree(pages, page, TreesField), page, isRetry: false);
        Retries = new DueTree(new OrderedTree(pages, page, TreesField + TreeBytes), page, isRetry: true);
    }

    public PageNumber Page { get; }

    public byte[] Name { get; }

    /// <summary>Jobs that wait for a time somebody gave, by that time.</summary>
    public DueTree Scheduled { get; }

    /// <summary>Jobs that wait for another attempt.</summary>
    public DueTree Retries { get; }

    public QueueSettings Settings { get; set; } = QueueSettings.None;

    /// <summary>The encoded map; none when nothing was ever set.</summary>
    public BlobRef SettingsBlob { get; set; }

    /// <summary>Whether this holds what its page does; before that only <see cref="Page"/> and <see cref="Name"/> mean something.</summary>
    public bool IsLoaded { get; private set; }

    public long EnqueuedTotal { get; set; }

    public long SucceededTotal { get; set; }

    public long FailedTotal { get; set; }

    /// <summary>Succeeded and cancelled jobs in the order in which they finished.</summary>
    public JobList Finished;

    /// <summary>Dead jobs in the order in which they died.</summary>
    public JobList Dead;

    /// <summary>A timer stands for forgetting what is above <c>keepFinished</c>.</summary>
    public bool Trimming { get; set; }

    /// <summary>Is in the list of queues to be saved.</summary>
    public bool Dirty { get; set; }

    /// <summary>The output, and its generation, that already names it among the wakes.</summary>
    public (ApplyOutput? Output, ulong Generation) WokenIn { get; set; }

    /// <summary>The next queue whose name has the same hash.</summary>
    public QueueState? SameHash { get; set; }

    public ref long Count(JobState state) => ref _counts[(int)state];

    public ref JobList Ready(int priority) => ref _ready[priority];

    /// <summary>The highest priority with a ready job, -1 when there is none.</summary>
    public int HighestReady()
    {
        if (_counts[(int)JobState.Ready] == 0) return -1;
        for (int priority = JobLimits.MaxPriority; priority >= 0; priority--)
        {
            if (_ready[priority].Head != 0) return priority;
        }

        return -1;
    }

    public long KeptFinished => _counts[(int)JobState.Succeeded] + _counts[(int)JobState.Cancelled];

    /// <summary>Writes the page of a queue that was just made.</summary>
    public void Initialize()
    {
        using (PageHandle handle = _pages.Pin(Page, PageIntent.Write))
        {
            handle.Write[NameLengthField] = (byte)Name.Length;
            Name.CopyTo(handle.Write[NameField..]);
        }

        Scheduled.Initialize();
        Retries.Initialize();
        IsLoaded = true;
    }

    public void Load()
    {
        using PageHandle handle = _pages.Pin(Page, PageIntent.Read);
        ReadOnlySpan<byte> page = handle.Read;
        Invariant.That(page.Slice(NameField, page[NameLengthField]).SequenceEqual(Name), "a queue's page is its own");
        Trimming = (page[FlagsField] & TrimmingFlag) != 0;
        SettingsBlob = new BlobRef(page.GetUInt64(SettingsField));
        for (int i = 0; i < JobStates.Count; i++) _counts[i] = page.GetInt64(CountsField + (i * sizeof(long)));
        EnqueuedTotal = page.GetInt64(EnqueuedField);
        SucceededTotal = page.GetInt64(SucceededField);
        FailedTotal = page.GetInt64(FailedField);
        Finished = ReadList(page, FinishedField);
        Dead = ReadList(page, DeadField);
        for (int i = 0; i < Priorities; i++) _ready[i] = ReadList(page, ReadyField + (i * ListBytes));
        Scheduled.LoadHead(page[HeadsField..]);
        Retries.LoadHead(page[(HeadsField + DueTree.HeadBytes)..]);
        IsLoaded = true;
    }

    public void Save()
    {
        using PageHandle handle = _pages.Pin(Page, PageIntent.Write);
        Span<byte> page = handle.Write;
        page[FlagsField] = Trimming ? TrimmingFlag : (byte)0;
        page.SetUInt64(SettingsField, SettingsBlob.Value);
        for (int i = 0; i < JobStates.Count; i++) page.SetInt64(CountsField + (i * sizeof(long)), _counts[i]);
        page.SetInt64(EnqueuedField, EnqueuedTotal);
        page.SetInt64(SucceededField, SucceededTotal);
        page.SetInt64(FailedField, FailedTotal);
        WriteList(page, FinishedField, Finished);
        WriteList(page, DeadField, Dead);
        for (int i = 0; i < Priorities; i++) WriteList(page, ReadyField + (i * ListBytes), _ready[i]);
        Scheduled.SaveHead(page[HeadsField..]);
        Retries.SaveHead(page[(HeadsField + DueTree.HeadBytes)..]);
    }

    private static JobList ReadList(ReadOnlySpan<byte> page, int offset) => new()
    {
        Head = BinaryPrimitives.ReadInt64LittleEndian(page[offset..]),
        Tail = BinaryPrimitives.ReadInt64LittleEndian(page[(offset + sizeof(long))..]),
    };

    private static void WriteList(Span<byte> page, int offset, in JobList list)
    {
        page.SetInt64(offset, list.Head);
        page.SetInt64(offset + sizeof(long), list.Tail);
    }

    [InlineArray(Priorities)]
    private struct ReadyLists
    {
        private JobList _first;
    }
}
