using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>Keys of requests and what became of the first of each, until a timer forgets them.</summary>
internal sealed class IdempotencyKeys
{
    private readonly RecordSlab _slab;
    private readonly HashIndex _index;
    private readonly BlobStore _blobs;
    private readonly Timers _timers;

    public IdempotencyKeys(RecordSlab slab, HashIndex index, BlobStore blobs, Timers timers)
    {
        Invariant.That(Unsafe.SizeOf<IdempotencyRecord>() == IdempotencyRecord.RecordSize, "a key's record has its size");
        _slab = slab;
        _index = index;
        _blobs = blobs;
        _timers = timers;
    }

    public long Count => _slab.Count;

    public void Initialize()
    {
        _slab.Initialize();
        _index.Initialize();
    }

    /// <summary>False when the key is not remembered.</summary>
    public bool TryFind(in CommandEnvelope envelope, out long slot, out IdempotencyRecord record)
    {
        ulong low = BinaryPrimitives.ReadUInt64LittleEndian(envelope.ScopedKey);
        ulong high = BinaryPrimitives.ReadUInt64LittleEndian(envelope.ScopedKey[8..]);
        foreach (long candidate in _index.Find(low))
        {
            record = Load(candidate);
            slot = candidate;
            if (record.KeyLow == low && record.KeyHigh == high) return true;
        }

        slot = 0;
        record = default;
        return false;
    }

    public static bool SameBody(in CommandEnvelope envelope, in IdempotencyRecord record) =>
        BinaryPrimitives.ReadUInt64LittleEndian(envelope.BodyHash) == record.BodyLow
        && BinaryPrimitives.ReadUInt64LittleEndian(envelope.BodyHash[8..]) == record.BodyHigh;

    public int ResultLength(in IdempotencyRecord record) => _blobs.Length(record.Result);

    public void ReadResult(in IdempotencyRecord record, Span<byte> destination) => _blobs.Read(record.Result, destination);

    /// <summary>Remembers a key that is not known.</summary>
    public void Remember(in CommandEnvelope envelope, CommandType type, LogIndex index, long expiresAt, ReadOnlySpan<byte> result)
    {
        long slot = _slab.Allocate();
        var record = new IdempotencyRecord
        {
            KeyLow = BinaryPrimitives.ReadUInt64LittleEndian(envelope.ScopedKey),
            KeyHigh = BinaryPrimitives.ReadUInt64LittleEndian(envelope.ScopedKey[8..]),
            BodyLow = BinaryPrimitives.ReadUInt64LittleEndian(envelope.BodyHash),
            BodyHigh = BinaryPrimitives.ReadUInt64LittleEndian(envelope.BodyHash[8..]),
            Index = index.Value,
            Result = _blobs.Write(result),
            ExpiresAt = expiresAt,
            Type = type,
        };
        using (RecordHandle handle = _slab.Pin(slot, PageIntent.Write)) MemoryMarshal.Write(handle.Bytes, in record);
        _index.Add(record.KeyLow, slot);
        _timers.Insert(TimerKind.Idempotency, expiresAt, (ulong)slot, slot);
    }

    /// <summary>Forgets the key and takes its timer back.</summary>
    public void Forget(long slot)
    {
        IdempotencyRecord record = Load(slot);
        _timers.Remove(TimerKind.Idempotency, record.ExpiresAt, (ulong)slot, slot);
        Invariant.That(_index.Remove(record.KeyLow, slot), "a remembered key stands in its index");
        _blobs.Free(record.Result);
        _slab.Free(slot);
    }

    private IdempotencyRecord Load(long slot)
    {
        using RecordHandle handle = _slab.Pin(slot, PageIntent.Read);
        return MemoryMarshal.Read<IdempotencyRecord>(handle.Bytes);
    }
}
