using System.Runtime.InteropServices;

namespace RaftQueue.Server.Hosting;

/// <summary>
/// Who asks this process to stop: SIGTERM, SIGINT or the program around it. The first signal is held back, whatever asked before it,
/// because a terminal sends SIGINT to a whole group of processes of which one may already have asked the others. The second signal
/// ends the process at once.
/// </summary>
internal sealed class StopRequest : IDisposable
{
    private readonly TaskCompletionSource<string> _reason = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private readonly CancellationTokenRegistration _cancelled;
    private int _signals;

    public StopRequest(CancellationToken stop)
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _cancelled = stop.Register(() => _reason.TrySetResult("asked to"));
    }

    /// <summary>Completes with who asked first.</summary>
    public Task<string> Reason => _reason.Task;

    public void Dispose()
    {
        _cancelled.Dispose();
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        _reason.TrySetResult($"{context.Signal}");
        context.Cancel = Interlocked.Increment(ref _signals) == 1;
    }
}
