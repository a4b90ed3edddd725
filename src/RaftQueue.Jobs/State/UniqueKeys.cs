using RaftQueue.Jobs.Structures;

namespace RaftQueue.Jobs.State;

/// <summary>Who holds which unique key: an index from (queue, key) to the holder's slot. The key stands with the job.</summary>
internal sealed class UniqueKeys(HashIndex index, JobTable jobs)
{
    private ulong _seed;

    public long Count => index.Count;

    /// <summary>Sets the replicated number that makes collisions unforeseeable; before the first key is added.</summary>
    public void Seed(ulong seed) => _seed = seed;

    public void Initialize() => index.Initialize();

    /// <summary>Equal keys of a queue have equal hashes.</summary>
    public ulong HashOf(uint queue, ReadOnlySpan<byte> key) => StableHash.Hash64(key, _seed, queue);

    /// <summary>The slot of the holder, 0 when nobody holds the key.</summary>
    public long Find(uint queue, ReadOnlySpan<byte> key)
    {
        foreach (long slot in index.Find(HashOf(queue, key)))
        {
            JobRecord job = jobs.Load(slot);
            if (job.Queue == queue && jobs.Rare(job).UniqueKey.SequenceEqual(key)) return slot;
        }

        return 0;
    }

    public void Take(uint queue, ReadOnlySpan<byte> key, long slot) => index.Add(HashOf(queue, key), slot);

    public void Release(uint queue, ReadOnlySpan<byte> key, long slot) =>
        Primitives.Invariant.That(index.Remove(HashOf(queue, key), slot), "who holds a key stands in the index");
}
