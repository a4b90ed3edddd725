using System.Text;

namespace RaftQueue.Jobs;

/// <summary>What a worker shows to finish, keep or hand back a lease: the job's id, a dot, the fence in base32hex.</summary>
public readonly record struct LeaseToken(JobId Job, ulong Fence)
{
    /// <summary>The longest text in bytes.</summary>
    public const int MaxTextLength = JobId.TextLength + 1 + MaxFenceDigits;

    private const int MaxFenceDigits = 13;

    /// <summary>Writes the text and returns its length, at most <see cref="MaxTextLength"/>.</summary>
    public int Format(Span<byte> destination)
    {
        Job.Format(destination);
        destination[JobId.TextLength] = (byte)'.';
        int digits = Base32Hex.DigitCount(Fence);
        Base32Hex.Write(Fence, destination.Slice(JobId.TextLength + 1, digits));
        return JobId.TextLength + 1 + digits;
    }

    /// <summary>False for anything that <see cref="Format"/> does not write.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out LeaseToken token)
    {
        token = default;
        if (utf8.Length is < JobId.TextLength + 2 or > MaxTextLength || utf8[JobId.TextLength] != '.') return false;
        if (!JobId.TryParse(utf8[..JobId.TextLength], out JobId job)) return false;
        ReadOnlySpan<byte> digits = utf8[(JobId.TextLength + 1)..];
        if (!Base32Hex.TryRead(digits, out UInt128 fence) || fence > ulong.MaxValue) return false;
        if (Base32Hex.DigitCount((ulong)fence) != digits.Length) return false;
        token = new LeaseToken(job, (ulong)fence);
        return true;
    }

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[MaxTextLength];
        return Encoding.ASCII.GetString(text[..Format(text)]);
    }
}
