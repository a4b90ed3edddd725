using System.Collections.Concurrent;

namespace RaftQueue.Server.Endpoints;

/// <summary>Keeps a bounded number of things for reuse; what comes back beyond it is disposed. Safe from any thread.</summary>
public sealed class BoundedPool<T>(Func<T> create, int capacity)
    where T : class, IDisposable
{
    private readonly ConcurrentQueue<T> _kept = new();
    private int _count;

    public T Rent()
    {
        if (!_kept.TryDequeue(out T? item)) return create();
        Interlocked.Decrement(ref _count);
        return item;
    }

    public void Return(T item)
    {
        if (Interlocked.Increment(ref _count) <= capacity)
        {
            _kept.Enqueue(item);
            return;
        }

        Interlocked.Decrement(ref _count);
        item.Dispose();
    }
}
