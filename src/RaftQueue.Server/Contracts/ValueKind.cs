namespace RaftQueue.Server.Contracts;

/// <summary>What a value in a request body is, in either format.</summary>
public enum ValueKind
{
    Null,
    Bool,

    /// <summary>Any number; only some are integers.</summary>
    Number,
    String,

    /// <summary>Bytes; MessagePack only.</summary>
    Binary,
    Array,
    Object,

    /// <summary>A MessagePack value without a counterpart in JSON.</summary>
    Other,
}
