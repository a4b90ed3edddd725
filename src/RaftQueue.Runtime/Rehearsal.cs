using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Views;
using RaftQueue.MessagePack;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Runtime;

/// <summary>
/// Applies a few commands of each common kind to a state that is thrown away, before a node has anybody to answer. The first use of code
/// that was not compiled ahead compiles it: 20 ms of a core, and where cores are few and all nodes get their first jobs together a third of
/// a second, in which a leader counts as stuck.
/// </summary>
internal static class Rehearsal
{
    private const int Jobs = 3;

    private static readonly Incarnation Origin = new(1);

    /// <summary>The calling thread compiles what applying needs. Returns how many entries it applied.</summary>
    public static long Run()
    {
        using PageStore pages = PageStore.Create(new PageStoreOptions());
        using JobStore store = JobStore.Create(pages, new ShardId(0));
        using var output = new ApplyOutput { Local = Origin };
        Apply(store, output, CommandType.Enqueue, WriteEnqueue(single: true, 1));
        Apply(store, output, CommandType.Enqueue, WriteEnqueue(single: false, Jobs));
        Apply(store, output, CommandType.Lease, WriteLease());
        List<LeaseReference> leases = GrantsOf(output);
        Invariant.That(leases.Count == Jobs, "jobs that were enqueued are leased");
        Apply(store, output, CommandType.Extend, WriteToken(leases[0], static (lease, writer) =>
            new ExtendItem { Lease = lease, LeaseMs = 1000 }.Write(writer)));
        Apply(store, output, CommandType.Reschedule, WriteToken(leases[0], static (lease, writer) =>
            new RescheduleItem { Lease = lease, DelayMs = 1000 }.Write(writer)));
        Apply(store, output, CommandType.Nack, WriteToken(leases[1], static (lease, writer) => new NackItem { Lease = lease }.Write(writer)));
        Apply(store, output, CommandType.Ack, WriteToken(leases[2], static (lease, writer) => new AckItem { Lease = lease }.Write(writer)));
        Apply(store, output, CommandType.Tick, CommandBodies.Empty);
        return store.AppliedIndex.Value;
    }

    private static void Apply(JobStore store, ApplyOutput output, CommandType type, ReadOnlyMemory<byte> body)
    {
        LogIndex index = store.AppliedIndex.Next;
        var command = new WaitingCommand(type, Origin, new NodeId(1), (ulong)index.Value, body, null);
        output.Clear();
        Consensus.LogEntry entry = EntryBuilder.Build(store.Shard, new Term(1), index, index.Value * 10_000, [command], 0, 1);
        store.Apply(entry.Header, entry.Bytes.Span, output);
        Invariant.That(output.Codes[0] == ResultCode.Ok, "what is rehearsed is in order");
    }

    private static ReadOnlyMemory<byte> WriteEnqueue(bool single, int jobs)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        EnqueueCommand.WriteStart(writer, default, "rehearsal"u8, single, jobs);
        for (int i = 0; i < jobs; i++)
            new JobSpec { PayloadKind = PayloadKind.Json, Payload = "{}"u8, DelayMs = i == 0 ? 1000 : null }.Write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    private static ReadOnlyMemory<byte> WriteLease()
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        LeaseCommand.WriteStart(writer, default, 1);
        writer.WriteString("rehearsal"u8);
        LeaseCommand.WriteEnd(writer, Jobs, 60_000, default, 0, 1 << 20);
        return buffer.WrittenSpan.ToArray();
    }

    private static ReadOnlyMemory<byte> WriteToken(LeaseReference lease, Action<LeaseReference, MessagePackWriter> write)
    {
        using var buffer = new PooledBuffer();
        var writer = new MessagePackWriter(buffer);
        TokenCommand.WriteStart(writer, default, 1);
        write(lease, writer);
        return buffer.WrittenSpan.ToArray();
    }

    private static List<LeaseReference> GrantsOf(ApplyOutput output)
    {
        var leases = new List<LeaseReference>();
        CommandResult result = output.Results[0];
        bool readable = CommandResultReader.TryRead(output.Buffer.WrittenSpan.Slice(result.Offset, result.Length), out CommandResultReader reader);
        MessagePackReader body = reader.Body;
        readable &= body.TryReadArrayHeader(out int count);
        for (int i = 0; readable && i < count; i++)
        {
            readable = GrantView.TryRead(ref body, out GrantView grant);
            leases.Add(new LeaseReference(grant.Job.Slot, grant.Job.Sequence, grant.Fence));
        }

        Invariant.That(readable, "a result can be read");
        return leases;
    }
}
