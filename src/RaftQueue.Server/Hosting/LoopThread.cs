using RaftQueue.Primitives;

namespace RaftQueue.Server.Hosting;

/// <summary>One loop on its thread. A wake costs nothing while the loop runs and one signal while it sleeps.</summary>
internal sealed class LoopThread : ILoopHandle
{
    private const int Running = 0;
    private const int Woken = 1;
    private const int Sleeping = 2;
    private const int StackBytes = 1 << 20;
    private const int WordsPerCacheLine = 16;
    private const long MicrosecondsPerMs = 1000;
    private const long LongestSleep = 3_600_000_000;

    private readonly ILoopBody _body;
    private readonly IClock _clock;
    private readonly Action<string, Exception> _failed;
    private readonly Thread _thread;
    private readonly object _gate = new();

    /// <summary>The state is in the middle: in a cache line of its own, at an address that stays.</summary>
    private readonly int[] _words = GC.AllocateArray<int>(2 * WordsPerCacheLine, pinned: true);
    private volatile bool _stopping;

    public LoopThread(string name, ILoopBody body, IClock clock, Action<string, Exception> failed)
    {
        _body = body;
        _clock = clock;
        _failed = failed;
        _thread = new Thread(Run, StackBytes) { Name = name, IsBackground = true };
    }

    private ref int State => ref _words[WordsPerCacheLine];

    public void Start() => _thread.Start();

    public void Wake()
    {
        if (Interlocked.Exchange(ref State, Woken) == Sleeping) EndSleep();
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
                Interlocked.Exchange(ref State, Running);
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
        long wait = due == ILoopBody.Never ? LongestSleep : Math.Min(due - _clock.MonotonicMicroseconds, LongestSleep);
        if (wait <= 0) return;
        if (Futex.IsSupported)
        {
            // Only if nobody woke the loop since it looked for work; the call itself looks once more.
            if (Interlocked.CompareExchange(ref State, Sleeping, Running) == Running) Wait(wait);
            return;
        }

        // Rounded up: a loop that runs a little late does its work, one that runs early only finds that it is early.
        long ms = (wait + MicrosecondsPerMs - 1) / MicrosecondsPerMs;
        lock (_gate)
        {
            // Whoever sees Sleeping waits for the gate, which is given up only by the wait itself: no wake is lost.
            if (Interlocked.CompareExchange(ref State, Sleeping, Running) == Running) Monitor.Wait(_gate, TimeSpan.FromMilliseconds(ms));
        }
    }

    private unsafe void Wait(long microseconds)
    {
        fixed (int* state = &State) Futex.Wait(state, Sleeping, microseconds);
    }

    private unsafe void EndSleep()
    {
        if (Futex.IsSupported)
        {
            fixed (int* state = &State) Futex.Wake(state);
            return;
        }

        lock (_gate) Monitor.Pulse(_gate);
    }
}
