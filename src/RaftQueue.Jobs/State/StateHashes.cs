using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>The state hashes of the last 100,000 entries, in memory only: a witness, not state.</summary>
internal sealed class StateHashes
{
    private const int Kept = 100_000;
    private readonly ulong[] _ring = new ulong[Kept];
    private long _first;

    public void Add(LogIndex index, ulong hash)
    {
        if (_first == 0) _first = index.Value;
        _ring[index.Value % Kept] = hash;
    }

    public bool TryGet(LogIndex index, LogIndex newest, out ulong hash)
    {
        bool kept = _first != 0 && index.Value >= _first && index <= newest && newest - index < Kept;
        hash = kept ? _ring[index.Value % Kept] : 0;
        return kept;
    }
}
