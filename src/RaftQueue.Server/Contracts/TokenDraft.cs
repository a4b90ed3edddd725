using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>One item of a request on lease tokens, of whichever verb; points into the body and the scratch buffers.</summary>
internal ref struct TokenDraft
{
    public ReadOnlySpan<byte> Token;

    /// <summary>The item's payload fields and, for a reschedule, when and how it runs again.</summary>
    public JobSpec Job;

    /// <summary>Result of an ack or progress of an extend, as JSON text; empty when not given.</summary>
    public ReadOnlySpan<byte> Json;

    public ReadOnlySpan<byte> Error;

    public long? LeaseMs;

    public bool Dead;

    /// <summary>What is wrong with a value; this token is then <c>invalid</c>.</summary>
    public Problem? Refusal;

    /// <summary>Whether a payload was given at all.</summary>
    public bool HasPayload;

    /// <summary>Writes the item of the verb's command.</summary>
    public readonly void Write(TokenVerb verb, LeaseReference lease, MessagePackWriter writer)
    {
        switch (verb)
        {
            case TokenVerb.Ack:
                new AckItem { Lease = lease, Result = Json }.Write(writer);
                break;
            case TokenVerb.Nack:
                new NackItem { Lease = lease, Error = Error, DelayMs = Job.DelayMs, Dead = Dead }.Write(writer);
                break;
            case TokenVerb.Extend:
                new ExtendItem { Lease = lease, LeaseMs = LeaseMs ?? 0, Progress = Json }.Write(writer);
                break;
            case TokenVerb.Release:
                new ReleaseItem { Lease = lease, DelayMs = Job.DelayMs }.Write(writer);
                break;
            default:
                WriteReschedule(lease, writer);
                break;
        }
    }

    private readonly void WriteReschedule(LeaseReference lease, MessagePackWriter writer) => new RescheduleItem
    {
        Lease = lease,
        DelayMs = Job.DelayMs,
        RunAtMs = Job.RunAtMs,
        PayloadKind = HasPayload ? Job.PayloadKind : null,
        Payload = Job.Payload,
        ContentType = Job.ContentType,
        Priority = Job.Priority,
    }.Write(writer);
}
