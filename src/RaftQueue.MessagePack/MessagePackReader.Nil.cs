namespace RaftQueue.MessagePack;

/// <summary>Values that may be nil, which stands for "not given".</summary>
public ref partial struct MessagePackReader
{
    /// <summary>Null for nil.</summary>
    public bool TryReadInt64OrNil(out long? value)
    {
        value = null;
        if (TryReadNil()) return true;
        if (!TryReadInt64(out long read)) return false;
        value = read;
        return true;
    }

    /// <summary>Null for nil.</summary>
    public bool TryReadUInt64OrNil(out ulong? value)
    {
        value = null;
        if (TryReadNil()) return true;
        if (!TryReadUInt64(out ulong read)) return false;
        value = read;
        return true;
    }

    /// <summary>Null for nil.</summary>
    public bool TryReadBoolOrNil(out bool? value)
    {
        value = null;
        if (TryReadNil()) return true;
        if (!TryReadBool(out bool read)) return false;
        value = read;
        return true;
    }

    /// <summary>An empty span and <paramref name="isNil"/> for nil; an empty string is not nil.</summary>
    public bool TryReadStringOrNil(out ReadOnlySpan<byte> utf8, out bool isNil)
    {
        utf8 = default;
        isNil = TryReadNil();
        return isNil || TryReadString(out utf8);
    }

    /// <summary>An empty span and <paramref name="isNil"/> for nil; an empty binary is not nil.</summary>
    public bool TryReadBinaryOrNil(out ReadOnlySpan<byte> bytes, out bool isNil)
    {
        bytes = default;
        isNil = TryReadNil();
        return isNil || TryReadBinary(out bytes);
    }
}
