namespace RaftQueue.MessagePack;

/// <summary>What kind of value stands next, whatever its size class.</summary>
public enum MessagePackType
{
    /// <summary>No byte is left.</summary>
    End,
    Nil,
    Bool,
    Integer,
    Float,
    String,
    Binary,
    Array,
    Map,
    Extension,

    /// <summary>0xc1, which the format never uses.</summary>
    Invalid,
}
