using System.Buffers.Binary;

namespace RaftQueue.Primitives;

/// <summary>
/// The frame around each command in an entry, little endian, <see cref="HeaderSize"/> bytes and then the body:
/// body length u32, command type u16, reserved u16 (zero), origin incarnation u64, request number u64.
/// The origin is the node that took the request and will answer it; its request numbers never repeat.
/// Types below <see cref="FirstJobType"/> belong to consensus and change no job state.
/// </summary>
public readonly ref struct CommandFrame
{
    /// <summary>Bytes in front of the body.</summary>
    public const int HeaderSize = 24;

    /// <summary>An entry that only starts a term (Raft thesis 6.4: a leader must commit one of its own term). No body.</summary>
    public const ushort TermStartType = 1;

    /// <summary>A membership; the body is what consensus encodes. Alone in its entry.</summary>
    public const ushort MembershipType = 2;

    /// <summary>Lower types are consensus' own.</summary>
    public const ushort FirstJobType = 16;

    public CommandFrame(ushort type, Incarnation origin, ulong requestNumber, ReadOnlySpan<byte> body)
    {
        Type = type;
        Origin = origin;
        RequestNumber = requestNumber;
        Body = body;
    }

    public ushort Type { get; }

    public Incarnation Origin { get; }

    public ulong RequestNumber { get; }

    public ReadOnlySpan<byte> Body { get; }

    /// <summary>Bytes of this frame with its body.</summary>
    public int Size => HeaderSize + Body.Length;

    /// <summary>Writes the frame in front of <paramref name="destination"/> and returns its size.</summary>
    public int Write(Span<byte> destination)
    {
        WriteHeader(destination, Type, Origin, RequestNumber, Body.Length);
        Body.CopyTo(destination[HeaderSize..]);
        return Size;
    }

    /// <summary>Writes only the header, for a body that is already in its place.</summary>
    public static void WriteHeader(Span<byte> destination, ushort type, Incarnation origin, ulong requestNumber, int bodyLength)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, bodyLength);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], origin.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], requestNumber);
    }

    /// <summary>
    /// Takes one frame from the front of <paramref name="commands"/>, which then starts behind it.
    /// False at the end, and when what is there cannot be a frame: then <paramref name="commands"/> is not empty.
    /// </summary>
    public static bool TryTake(ref ReadOnlySpan<byte> commands, out CommandFrame frame)
    {
        frame = default;
        if (commands.Length < HeaderSize) return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(commands);
        if (length < 0 || length > commands.Length - HeaderSize) return false;
        frame = new CommandFrame(
            BinaryPrimitives.ReadUInt16LittleEndian(commands[4..]),
            new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(commands[8..])),
            BinaryPrimitives.ReadUInt64LittleEndian(commands[16..]),
            commands.Slice(HeaderSize, length));
        commands = commands[(HeaderSize + length)..];
        return true;
    }
}
