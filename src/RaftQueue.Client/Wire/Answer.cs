using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RaftQueue.Client;

/// <summary>A reply that was received whole.</summary>
internal readonly record struct Answer(int Status, byte[] Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Reads a successful reply's body.</summary>
    /// <exception cref="RaftQueueException">The body is not what the server promises; what was asked for has happened.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type) ?? throw new JsonException("The reply is null.");
        }
        catch (JsonException exception)
        {
            throw new RaftQueueException("bad_reply", $"The server's reply could not be read: {exception.Message}", exception)
            {
                Status = Status,
                IsOutcomeUnknown = true,
            };
        }
    }
}
