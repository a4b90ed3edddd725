using System.Text;
using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Checkers.Model;

/// <summary>Reads commands of the log and has the model carry them out.</summary>
internal static class CommandText
{
    /// <summary>The answer as text.</summary>
    public static string Run(JobModel model, in CommandFrame frame)
    {
        var type = (CommandType)frame.Type;
        switch (type)
        {
            case CommandType.Tick or CommandType.Checkpoint:
                return ResultText.Head(ResultCode.Ok, false, model.Index);
            case CommandType.Settings:
                Require.Readable(SettingsCommand.TryRead(frame.Body, out ReplicatedSettings? settings));
                model.Set(settings!);
                return ResultText.Head(ResultCode.Ok, false, model.Index);
            case CommandType.Enqueue:
                return Enqueue(model, frame.Body);
            case CommandType.Lease:
                return Lease(model, frame.Body);
            case CommandType.Cancel:
                Require.Readable(CancelCommand.TryRead(frame.Body, out CancelCommand cancel));
                return model.Cancel(cancel.Sequence, cancel.IfVersion, KeyOf(cancel.Envelope));
            case CommandType.PutQueue:
                Require.Readable(PutQueueCommand.TryRead(frame.Body, out PutQueueCommand put));
                return model.PutQueue(Text(put.Queue), put.ReplaceAll, ModelMap.Read(put.Settings), KeyOf(put.Envelope));
            default:
                return OnTokens(model, type, frame.Body);
        }
    }

    /// <summary>Whose lease request a command is.</summary>
    public static string Worker(ReadOnlySpan<byte> leaseBody)
    {
        Require.Readable(LeaseCommand.TryRead(leaseBody, out LeaseCommand command));
        return Text(command.Worker);
    }

    private static string Enqueue(JobModel model, ReadOnlySpan<byte> body)
    {
        Require.Readable(EnqueueCommand.TryRead(body, out EnqueueCommand command));
        var jobs = new List<PlainJob>(command.Count);
        MessagePackReader reader = command.Jobs;
        for (int i = 0; i < command.Count; i++)
        {
            Require.Readable(JobSpec.TryRead(ref reader, out JobSpec spec));
            jobs.Add(Plain(spec));
        }

        return model.Enqueue(Text(command.Queue), command.Single, jobs, KeyOf(command.Envelope));
    }

    private static PlainJob Plain(scoped in JobSpec spec)
    {
        bool hasKey = !spec.UniqueKey.IsEmpty;
        return new PlainJob
        {
            Payload = spec.PayloadKind == PayloadKind.None ? null : Shots.PayloadText(spec.PayloadKind, spec.Payload),
            Bytes = spec.PayloadKind == PayloadKind.Bytes,
            ContentType = Shots.Text(spec.ContentType),
            Type = Shots.Text(spec.Type),
            Priority = spec.Priority,
            DelayMs = spec.DelayMs,
            RunAtMs = spec.RunAtMs,
            Key = Shots.Text(spec.UniqueKey),
            Until = hasKey ? spec.UniqueUntil : UniqueUntil.Finished,
            WindowMs = spec.UniqueWindowMs,
            OnConflict = hasKey ? spec.OnConflict : ConflictChoice.Return,
            MaxAttempts = spec.MaxAttempts,
            Retry = spec.Retry,
            ExpireAfterMs = spec.ExpireAfterMs,
            KeepMs = spec.KeepMs,
            KeepDeadMs = spec.KeepDeadMs,
            Tags = Strings(spec.Tags, map: false),
            Headers = Strings(spec.Headers, map: true),
        };
    }

    private static string Lease(JobModel model, ReadOnlySpan<byte> body)
    {
        Require.Readable(LeaseCommand.TryRead(body, out LeaseCommand command));
        string[] names = new string[command.QueueCount];
        MessagePackReader reader = command.Queues;
        for (int i = 0; i < names.Length; i++)
        {
            Require.Readable(reader.TryReadString(out ReadOnlySpan<byte> name));
            names[i] = Text(name);
        }

        return model.Lease(names, command.MaxJobs, command.LeaseMs, Text(command.Worker), command.PullAheadMs, KeyOf(command.Envelope));
    }

    private static string OnTokens(JobModel model, CommandType type, ReadOnlySpan<byte> body)
    {
        Require.Readable(TokenCommand.TryReadStart(body, out TokenCommand command));
        (Int128, Int128)? key = KeyOf(command.Envelope);
        MessagePackReader reader = command.Items;
        var items = new List<ModelItem>(command.Count);
        for (int i = 0; i < command.Count; i++) items.Add(Item(type, ref reader));
        return type switch
        {
            CommandType.Ack => model.Ack(items, key),
            CommandType.Nack => model.Nack(items, key),
            CommandType.Extend => model.Extend(items, key),
            CommandType.Release => model.Release(items, key),
            CommandType.Revoke => model.Revoke(items),
            _ => model.Reschedule(items, key),
        };
    }

    private static ModelItem Item(CommandType type, ref MessagePackReader reader)
    {
        switch (type)
        {
            case CommandType.Ack:
                Require.Readable(AckItem.TryRead(ref reader, out AckItem ack));
                return new ModelItem(TokenOf(ack.Lease)) { Text = Shots.Text(ack.Result) };
            case CommandType.Nack:
                Require.Readable(NackItem.TryRead(ref reader, out NackItem nack));
                return new ModelItem(TokenOf(nack.Lease)) { Text = Shots.Text(nack.Error), DelayMs = nack.DelayMs, Dead = nack.Dead };
            case CommandType.Extend:
                Require.Readable(ExtendItem.TryRead(ref reader, out ExtendItem extend));
                return new ModelItem(TokenOf(extend.Lease)) { LeaseMs = extend.LeaseMs, Text = Shots.Text(extend.Progress) };
            case CommandType.Release:
                Require.Readable(ReleaseItem.TryRead(ref reader, out ReleaseItem release));
                return new ModelItem(TokenOf(release.Lease)) { DelayMs = release.DelayMs };
            case CommandType.Revoke:
                Require.Readable(RevokeItem.TryRead(ref reader, out RevokeItem revoke));
                return new ModelItem(TokenOf(revoke.Lease));
            default:
                Require.Readable(RescheduleItem.TryRead(ref reader, out RescheduleItem again));
                return new ModelItem(TokenOf(again.Lease))
                {
                    DelayMs = again.DelayMs,
                    RunAtMs = again.RunAtMs,
                    PayloadKind = again.PayloadKind,
                    Payload = again.PayloadKind is null or PayloadKind.None ? null : Shots.PayloadText(again.PayloadKind.Value, again.Payload),
                    ContentType = Shots.Text(again.ContentType),
                    Priority = again.Priority,
                };
        }
    }

    private static string[]? Strings(ReadOnlySpan<byte> encoded, bool map) => Shots.Strings(encoded, map);

    private static (Int128 Key, Int128 Body)? KeyOf(scoped in CommandEnvelope envelope) => envelope.HasKey
        ? (BitConverter.ToInt128(envelope.ScopedKey), BitConverter.ToInt128(envelope.BodyHash))
        : null;

    private static LeaseToken TokenOf(LeaseReference lease) => new(new JobId(lease.Sequence, default, lease.Slot), lease.Fence);

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
