using RaftQueue.MessagePack;

namespace RaftQueue.Server.Tests.Support;

/// <summary>MessagePack into plain objects.</summary>
internal static class Unpack
{
    public static object? Read(byte[] body)
    {
        var reader = new MessagePackReader(body);
        object? value = Read(ref reader);
        Assert.True(reader.IsAtEnd);
        return value;
    }

    private static object? Read(ref MessagePackReader reader)
    {
        switch (reader.NextType)
        {
            case MessagePackType.Nil when reader.TryReadNil():
                return null;
            case MessagePackType.Bool when reader.TryReadBool(out bool truth):
                return truth;
            case MessagePackType.Integer when reader.TryReadInt64(out long number):
                return number;
            case MessagePackType.Float when reader.TryReadDouble(out double number):
                return number;
            case MessagePackType.String when reader.TryReadText(out string? text):
                return text;
            case MessagePackType.Binary when reader.TryReadBinary(out ReadOnlySpan<byte> bytes):
                return bytes.ToArray();
            case MessagePackType.Array when reader.TryReadArrayHeader(out int count):
                var items = new List<object?>();
                for (int i = 0; i < count; i++) items.Add(Read(ref reader));
                return items;
            case MessagePackType.Map when reader.TryReadMapHeader(out int pairs):
                var members = new Dictionary<string, object?>();
                for (int i = 0; i < pairs; i++) members.Add((string)Read(ref reader)!, Read(ref reader));
                return members;
            default:
                throw new InvalidDataException($"{reader.NextType} at {reader.Position}");
        }
    }
}
