using System.Buffers.Binary;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Tests.Support;

/// <summary>MessagePack values by hand.</summary>
internal static class Pack
{
    public static byte[] Nil => [0xc0];

    public static byte[] Text(string text) => RawText(Encoding.UTF8.GetBytes(text));

    public static byte[] RawText(byte[] utf8) => Written((writer, value) => writer.WriteString(value.AsSpan()), utf8);

    public static byte[] Binary(byte[] bytes) => Written((writer, value) => writer.WriteBinary(value), bytes);

    public static byte[] Integer(long number) => Written((writer, value) => writer.WriteInt64(value), number);

    public static byte[] Bool(bool truth) => [truth ? (byte)0xc3 : (byte)0xc2];

    public static byte[] Double(double number)
    {
        byte[] encoded = new byte[9];
        encoded[0] = 0xcb;
        BinaryPrimitives.WriteDoubleBigEndian(encoded.AsSpan(1), number);
        return encoded;
    }

    public static byte[] Array(params byte[][] items) => [.. Written((writer, count) => writer.WriteArrayHeader(count), items.Length), .. items.SelectMany(item => item)];

    public static byte[] Map(params (string Name, byte[] Value)[] members) =>
        [.. Written((writer, count) => writer.WriteMapHeader(count), members.Length), .. members.SelectMany(member => Text(member.Name).Concat(member.Value))];

    private static byte[] Written<T>(Write<T> write, T value)
    {
        using var buffer = new PooledBuffer();
        write(new MessagePackWriter(buffer), value);
        return buffer.WrittenSpan.ToArray();
    }

    private delegate void Write<in T>(MessagePackWriter writer, T value);
}
