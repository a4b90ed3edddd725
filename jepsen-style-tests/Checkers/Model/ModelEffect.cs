using RaftQueue.Jobs;

namespace RaftQueue.Checkers.Model;

/// <summary>What a command did, or of a replay what the first one had done.</summary>
public sealed class ModelEffect
{
    public bool Replayed { get; set; }

    public List<(ModelJob Job, bool Created, bool? Replaced)> Enqueued { get; } = [];

    public List<TokenStatus> Statuses { get; } = [];

    public List<ModelJob> Granted { get; } = [];
}
