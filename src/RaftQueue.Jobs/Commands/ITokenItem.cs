using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Commands;

/// <summary>One item of a <see cref="TokenCommand"/>.</summary>
public interface ITokenItem<TSelf>
    where TSelf : ITokenItem<TSelf>, allows ref struct
{
    static abstract bool TryRead(scoped ref MessagePackReader reader, out TSelf item);
}
