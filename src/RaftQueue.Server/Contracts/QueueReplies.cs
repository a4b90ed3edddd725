using RaftQueue.Jobs;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;

namespace RaftQueue.Server.Contracts;

/// <summary>Queues, written as replies. False from any of them as in <see cref="JobReplies"/>.</summary>
public static class QueueReplies
{
    /// <summary>One queue. <paramref name="nowMs"/> is the clock by which the oldest ready job has an age.</summary>
    public static bool TryWriteQueue(ReplyWriter reply, scoped ref MessagePackReader body, long nowMs)
    {
        if (!QueueView.TryRead(ref body, out QueueView queue)) return false;
        reply.BeginObject();
        reply.Name(Words.NameName);
        reply.Value(queue.Name);
        reply.Name(Words.Settings);
        if (!TryWriteSettings(reply, queue.Settings)) return false;
        reply.Name(Words.Paused);
        reply.Value(queue.Paused);
        reply.Name(Words.Counts);
        reply.BeginObject();
        for (int i = 0; i < JobStates.Count; i++)
        {
            reply.Name(Words.Of((JobState)i));
            reply.Value(queue.CountOf((JobState)i));
        }

        reply.EndObject();
        reply.Name(Words.OldestReadyAgeMs);
        reply.Value(queue.OldestReadyAtMs is { } since ? Math.Max(0, nowMs - since) : 0);
        reply.Name(Words.EnqueuedTotal);
        reply.Value(queue.EnqueuedTotal);
        reply.Name(Words.SucceededTotal);
        reply.Value(queue.SucceededTotal);
        reply.Name(Words.FailedTotal);
        reply.Value(queue.FailedTotal);
        reply.EndObject();
        return true;
    }

    /// <summary>The settings map as it was set; only jitter stands in another unit.</summary>
    public static bool TryWriteSettings(ReplyWriter reply, ReadOnlySpan<byte> encoded)
    {
        var reader = new MessagePackReader(encoded);
        return TryWriteValue(reply, ref reader);
    }

    private static bool TryWriteValue(ReplyWriter reply, scoped ref MessagePackReader reader)
    {
        switch (reader.NextType)
        {
            case MessagePackType.Map: return TryWriteMap(reply, ref reader);
            case MessagePackType.Array: return TryWriteArray(reply, ref reader);
            case MessagePackType.String when reader.TryReadString(out ReadOnlySpan<byte> text):
                reply.Value(text);
                return true;
            case MessagePackType.Integer when reader.TryReadInt64(out long number):
                reply.Value(number);
                return true;
            case MessagePackType.Bool when reader.TryReadBool(out bool truth):
                reply.Value(truth);
                return true;
            case MessagePackType.Nil when reader.TryReadNil():
                reply.Null();
                return true;
            default:
                return false;
        }
    }

    private static bool TryWriteMap(ReplyWriter reply, scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadMapHeader(out int count)) return false;
        reply.BeginObject();
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out ReadOnlySpan<byte> name)) return false;
            if (name.SequenceEqual("jitterPpm"u8))
            {
                if (!reader.TryReadInt64(out long millionths)) return false;
                reply.Name(Words.Jitter);
                reply.Millionths(millionths);
            }
            else
            {
                reply.Name(name);
                if (!TryWriteValue(reply, ref reader)) return false;
            }
        }

        reply.EndObject();
        return true;
    }

    private static bool TryWriteArray(ReplyWriter reply, scoped ref MessagePackReader reader)
    {
        if (!reader.TryReadArrayHeader(out int count)) return false;
        reply.BeginArray();
        for (int i = 0; i < count; i++)
        {
            if (!TryWriteValue(reply, ref reader)) return false;
        }

        reply.EndArray();
        return true;
    }
}
