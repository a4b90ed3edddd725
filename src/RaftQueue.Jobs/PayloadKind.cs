namespace RaftQueue.Jobs;

/// <summary>What a job's payload is.</summary>
public enum PayloadKind : byte
{
    /// <summary>None was given; it reads as JSON null.</summary>
    None = 0,

    /// <summary>JSON text, byte for byte as it came.</summary>
    Json = 1,
    Bytes = 2,
}
