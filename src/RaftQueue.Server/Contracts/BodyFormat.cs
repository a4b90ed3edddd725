namespace RaftQueue.Server.Contracts;

/// <summary>The formats that bodies of requests and replies come in.</summary>
public enum BodyFormat
{
    Json,
    MessagePack,
}
