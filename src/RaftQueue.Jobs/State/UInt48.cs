using System.Runtime.InteropServices;

namespace RaftQueue.Jobs.State;

/// <summary>A time or a slot in six bytes, little endian.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2, Size = 6)]
internal readonly struct UInt48
{
    private readonly uint _low;
    private readonly ushort _high;

    private UInt48(long value)
    {
        _low = (uint)value;
        _high = (ushort)(value >> 32);
    }

    public static implicit operator long(UInt48 value) => ((long)value._high << 32) | value._low;

    public static implicit operator UInt48(long value) => new(value);
}
