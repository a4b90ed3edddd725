using RaftQueue.MessagePack;

namespace RaftQueue.Jobs.Views;

/// <summary>The result of an enqueue of one: <c>[ created, duplicate, replaced|nil, job without payload, tags and headers ]</c>.</summary>
public ref struct SingleEnqueueView
{
    internal const int FieldCount = 4;

    public bool Created;
    public bool Duplicate;

    /// <summary>Null unless the newcomer asked to replace.</summary>
    public bool? Replaced;
    public JobView Job;

    public static bool TryRead(scoped ref MessagePackReader reader, out SingleEnqueueView view)
    {
        view = default;
        return reader.TryReadArrayHeader(out int count)
            && count >= FieldCount
            && reader.TryReadBool(out view.Created)
            && reader.TryReadBool(out view.Duplicate)
            && reader.TryReadBoolOrNil(out view.Replaced)
            && JobView.TryRead(ref reader, out view.Job)
            && reader.TrySkipMany(count - FieldCount);
    }
}
