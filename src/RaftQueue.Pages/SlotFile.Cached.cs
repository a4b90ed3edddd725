using System.Numerics;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

// What the operating system's page cache holds of the file. A file in which pages leave memory for runs of free slots is up to three
// times as large as the state; the cache would keep what stood in free slots for as long as what is read again, and hold the state no more.
internal sealed partial class SlotFile
{
    private const int RunsAStep = 256; // some 0.3 ms

    private readonly List<(uint First, uint Count)> _runs = [];
    private readonly SlotMap _cached = new(); // used at some time, and not told to be over since
    private int _forgotten;                   // words of it that this round looked at

    /// <summary>
    /// Tells the page cache of some slots that are free that nobody will read them before they are written again. A slot that is taken
    /// meanwhile is perhaps written to the disk a little sooner. True while there is more of this round. Checkpoint loop.
    /// </summary>
    public bool ForgetFree()
    {
        if (!_evicts) return false;
        _runs.Clear();
        lock (_gate)
        {
            while (_forgotten < _cached.Words && _runs.Count < RunsAStep)
            {
                AddRuns((uint)_forgotten << 6, _cached.TakeWordWithout(_forgotten, _busy));
                _forgotten++;
            }

            if (_forgotten >= _cached.Words) _forgotten = 0;
        }

        foreach ((uint first, uint count) in _runs)
            _file.Advise(DiskAdvice.NotReadAgain, (long)first * PageStore.PageSize, (long)count * PageStore.PageSize);
        return _forgotten != 0;
    }

    private void AddRuns(uint first, ulong slots)
    {
        while (slots != 0)
        {
            int skip = BitOperations.TrailingZeroCount(slots);
            int count = BitOperations.TrailingZeroCount(~(slots >> skip));
            uint begin = first + (uint)skip;
            if (_runs.Count > 0 && _runs[^1] is var last && last.First + last.Count == begin) _runs[^1] = (last.First, last.Count + (uint)count);
            else _runs.Add((begin, (uint)count));
            slots = skip + count >= 64 ? 0 : slots & (ulong.MaxValue << (skip + count));
        }
    }
}
