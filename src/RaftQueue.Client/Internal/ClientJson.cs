using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RaftQueue.Client;

/// <summary>Source-generated serialization of everything that travels.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(MillisecondsConverter),
        typeof(JobStateConverter),
        typeof(LeaseStatusConverter),
        typeof(LowerCaseConverter<UniqueUntil>),
        typeof(LowerCaseConverter<UniqueConflict>),
        typeof(LowerCaseConverter<Backoff>),
    ])]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(NewJob))]
[JsonSerializable(typeof(EnqueuedJob))]
[JsonSerializable(typeof(EnqueueBatchRequest))]
[JsonSerializable(typeof(EnqueueBatchReply))]
[JsonSerializable(typeof(LeaseRequest))]
[JsonSerializable(typeof(LeaseReply))]
[JsonSerializable(typeof(AckRequest))]
[JsonSerializable(typeof(NackRequest))]
[JsonSerializable(typeof(ExtendRequest))]
[JsonSerializable(typeof(ReleaseRequest))]
[JsonSerializable(typeof(RescheduleRequest))]
[JsonSerializable(typeof(LeaseResultsReply))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(QueuesReply))]
[JsonSerializable(typeof(QueueInfo))]
[JsonSerializable(typeof(ClusterInfo))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ClientJson : JsonSerializerContext
{
    private static ClientJson? _relaxed;

    /// <summary>Leaves text as it is where JSON allows it, instead of escaping everything beyond ASCII.</summary>
    public static ClientJson Relaxed => _relaxed ??=
        new ClientJson(new JsonSerializerOptions(Default.Options!) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
