namespace RaftQueue.Pages;

/// <summary>A checkpoint cannot be read as it was written; a peer has to supply what is missing.</summary>
public sealed class CheckpointDamagedException : Exception
{
    public CheckpointDamagedException()
        : this("the checkpoint is damaged")
    {
    }

    public CheckpointDamagedException(string message)
        : base(message) => Damage = new CheckpointDamage(null, null, message);

    public CheckpointDamagedException(string message, Exception innerException)
        : base(message, innerException) => Damage = new CheckpointDamage(null, null, message);

    public CheckpointDamagedException(string path, CheckpointDamage damage)
        : base($"'{path}': {damage}") => Damage = damage;

    /// <summary>What is wrong and where.</summary>
    public CheckpointDamage Damage { get; }
}
