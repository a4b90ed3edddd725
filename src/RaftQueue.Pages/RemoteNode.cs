using System.Buffers.Binary;
using RaftQueue.Primitives;

namespace RaftQueue.Pages;

/// <summary>What another node's table says at one place: the hashes of the 256 children, 0 for none.</summary>
internal sealed class RemoteNode
{
    private readonly ulong[] _hashes = new ulong[TableNode.FanOut];

    private RemoteNode(ulong hash) => Hash = hash;

    /// <summary>The hash of the node itself.</summary>
    public ulong Hash { get; }

    public ulong this[int index] => _hashes[index];

    /// <summary>Null when <paramref name="content"/> is not what the name says, or says that there is nothing.</summary>
    public static RemoteNode? Read(in PageName name, ReadOnlySpan<byte> content)
    {
        if (content.Length != PageName.NodeBytes) return null;
        var node = new RemoteNode(name.Hash);
        for (int i = 0; i < TableNode.FanOut; i++) node._hashes[i] = BinaryPrimitives.ReadUInt64LittleEndian(content[(i * 8)..]);
        bool isNamed = PageHash.Of(node._hashes, (ulong)name.Level) == name.Hash;
        return isNamed && node._hashes.AsSpan().IndexOfAnyExcept(0UL) >= 0 ? node : null;
    }

    /// <summary>What <see cref="Read"/> reads, of a node of our own.</summary>
    public static void Write(TableNode node, Span<byte> content)
    {
        for (int i = 0; i < TableNode.FanOut; i++) BinaryPrimitives.WriteUInt64LittleEndian(content[(i * 8)..], node[i].Hash);
    }
}
