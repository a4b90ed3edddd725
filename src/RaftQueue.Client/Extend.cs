using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>Keeps a job: the lease ends that long from now.</summary>
public sealed record Extend(string Token, [property: JsonPropertyName("leaseMs")] TimeSpan Lease, JsonText? Progress = null);
