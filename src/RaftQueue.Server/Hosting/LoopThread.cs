using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>One loop on its thread. A wake costs nothing while the loop runs and one signal while it sleeps.</summary>
internal sealed class LoopThread : ILoopHandle
{
    private const int Running = 0;
    private const int Woken = 1;
    private const int Sleeping = 2;
    private const int StackBytes = 1 << 20;
    private const long MicrosecondsPerMs = 1000;
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    private readonly ILoopBody _body;
    private readonly IClock _clock;
    private readonly Action<string, Exception> _failed;
    private readonly Thread _thread;
    private readonly object _gate = new();
    private volatile bool _stopping;
    private int _state;

    public LoopThread(string name, ILoopBody body, IClock clock, Action<string, Exception> failed)
    {
        _body = body;
        _clock = clock;
        _failed = failed;
        _thread = new Thread(Run, StackBytes) { Name = name, IsBackground = true };
    }

    public void Start() => _thread.Start();

    public void Wake()
    {
        if (Interlocked.Exchange(ref _state, Woken) != Sleeping) return;
        lock (_gate) Monitor.Pulse(_gate);
    }

    public void Stop()
    {
        _stopping = true;
        Wake();
        if (Environment.CurrentManagedThreadId != _thread.ManagedThreadId) _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                Interlocked.Exchange(ref _state, Running);
                Sleep(_body.RunOnce());
            }
        }
        catch (Exception exception)
        {
            _failed(_thread.Name!, exception);
        }
    }

    private void Sleep(long due)
    {
        long wait = due == ILoopBody.Never ? long.MaxValue : due - _clock.MonotonicMicroseconds;
        if (wait <= 0) return;
        // Rounded up: a loop that runs a little late does its work, one that runs early only finds that it is early.
        long ms = (wait / MicrosecondsPerMs) + (wait % MicrosecondsPerMs == 0 ? 0 : 1);
        lock (_gate)
        {
            // Whoever sees Sleeping waits for the gate, which is given up only by the wait itself: no wake is lost.
            if (Interlocked.CompareExchange(ref _state, Sleeping, Running) != Running) return;
            Monitor.Wait(_gate, ms >= LongestSleep.TotalMilliseconds ? LongestSleep : TimeSpan.FromMilliseconds(ms));
        }
    }
}
