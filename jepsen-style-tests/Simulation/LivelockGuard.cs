using RaftQueue.Checkers;
using RaftQueue.TestKit;

namespace RaftQueue.Simulation;

/// <summary>
/// P11: in virtual time a loop that never rests, or messages that beget each other, would keep a run where it is for ever. So much work
/// belongs to no short time.
/// </summary>
internal sealed class LivelockGuard(FakeClock clock)
{
    /// <summary>A busy cluster does a few thousand things in such a window.</summary>
    public const long Most = 2_000_000;

    private const long WindowMicroseconds = 100_000;

    private long _windowEnds;
    private long _done;

    /// <summary>Something ran; <paramref name="who"/> says what, if it has to be told.</summary>
    public void Did(Func<string> who)
    {
        if (clock.MonotonicMicroseconds >= _windowEnds)
        {
            _windowEnds = clock.MonotonicMicroseconds + WindowMicroseconds;
            _done = 0;
        }

        if (++_done <= Most) return;
        Require.That(false, $"P11: {Most} things happened within {WindowMicroseconds / 1000} ms of virtual time, the last of them in {who()}");
    }
}
