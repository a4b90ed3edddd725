using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RaftQueue.Jobs.Structures;
using RaftQueue.Pages;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.State;

/// <summary>The records of all jobs and the blobs they refer to, and the lists that run through the records.</summary>
internal sealed class JobTable
{
    private readonly RecordSlab _slab;
    private readonly ScratchBuffer _rare = new();
    private readonly ScratchBuffer _rareOut = new();
    private long _touched;

    public JobTable(PageStore pages, PageNumber root, int slabHeader, BlobStore blobs)
    {
        Invariant.That(BitConverter.IsLittleEndian, "records are copied as they stand in pages, little endian");
        Invariant.That(Unsafe.SizeOf<JobRecord>() == JobRecord.RecordSize, "a job record has its size");
        _slab = new RecordSlab(pages, root, slabHeader, JobRecord.RecordSize);
        Blobs = blobs;
        Run = new RunData(blobs);
    }

    public BlobStore Blobs { get; }

    /// <summary>The one editor of run data; holds what was loaded last.</summary>
    public RunData Run { get; }

    public long Count => _slab.Count;

    /// <summary>How many records were read and written so far. Any thread.</summary>
    public long Touched => Volatile.Read(ref _touched);

#if PLANTED_BUGS
    public byte OwnByte { get; set; }

#endif
    public void Initialize() => _slab.Initialize();

    public long Allocate() => _slab.Allocate();

    /// <summary>Gives back the record and every blob.</summary>
    public void Free(long slot, in JobRecord job)
    {
        FreeBlob(job.Payload);
        FreeBlob(job.Rare);
        FreeBlob(job.Run);
        _slab.Free(slot);
    }

    public void FreeBlob(BlobRef blob)
    {
        if (!blob.IsNone) Blobs.Free(blob);
    }

    /// <summary>The record, should the slot hold one, is about to be loaded.</summary>
    public void Prefetch(long slot) => _slab.Prefetch(slot);

    /// <summary>False when the slot does not hold this job, whatever the numbers are. Ghosts are found.</summary>
    public bool TryLoad(long slot, ulong sequence, out JobRecord job)
    {
        job = default;
        if (!_slab.IsAllocated(slot)) return false;
        job = Load(slot);
        return job.Sequence == sequence;
    }

    public JobRecord Load(long slot)
    {
        _touched++;
        using RecordHandle handle = _slab.Pin(slot, PageIntent.Read);
        return MemoryMarshal.Read<JobRecord>(handle.Bytes);
    }

    public void Save(long slot, in JobRecord job)
    {
        _touched++;
        using RecordHandle handle = _slab.Pin(slot, PageIntent.Write);
        MemoryMarshal.Write(handle.Bytes, in job);
#if PLANTED_BUGS
        if (OwnByte != 0) _slab.MarkPageOf(slot, OwnByte);
#endif
    }

    /// <summary>The job's rare fields; the spans are valid until the next call.</summary>
    public RareFields Rare(in JobRecord job)
    {
        if (job.Rare.IsNone) return default;
        Span<byte> bytes = _rare.Take(Blobs.Length(job.Rare));
        Blobs.Read(job.Rare, bytes);
        return RareFields.Read(bytes);
    }

    /// <summary>Writes the fields as a new blob in place of the job's present one, which they may point into a copy of.</summary>
    public void SetRare(ref JobRecord job, scoped in RareFields fields)
    {
        FreeBlob(job.Rare);
        job.Rare = BlobRef.None;
        if (fields.IsEmpty) return;
        Span<byte> bytes = _rareOut.Take(fields.MaxSize);
        job.Rare = Blobs.Write(bytes[..fields.Write(bytes)]);
    }

    public void SetPayload(ref JobRecord job, PayloadKind kind, ReadOnlySpan<byte> payload)
    {
        FreeBlob(job.Payload);
        job.Payload = kind == PayloadKind.None ? BlobRef.None : Blobs.Write(payload);
        job.PayloadKind = kind;
    }

    /// <summary>Puts a job, of which <paramref name="job"/> is the copy, behind all in a list. The caller saves it.</summary>
    public void PushBack(ref JobList list, long slot, ref JobRecord job)
    {
        job.Previous = list.Tail;
        job.Next = 0L;
        if (list.Tail == 0) list.Head = slot;
        else SetLink(list.Tail, JobRecord.NextOffset, slot);
        list.Tail = slot;
    }

    /// <summary>Puts a job before all in a list. The caller saves it.</summary>
    public void PushFront(ref JobList list, long slot, ref JobRecord job)
    {
        job.Previous = 0L;
        job.Next = list.Head;
        if (list.Head == 0) list.Tail = slot;
        else SetLink(list.Head, JobRecord.PreviousOffset, slot);
        list.Head = slot;
    }

    /// <summary>Takes a job out of a list. The caller saves it.</summary>
    public void Unlink(ref JobList list, ref JobRecord job)
    {
        long previous = job.Previous;
        long next = job.Next;
        if (previous == 0) list.Head = next;
        else SetLink(previous, JobRecord.NextOffset, next);
        if (next == 0) list.Tail = previous;
        else SetLink(next, JobRecord.PreviousOffset, previous);
        job.Previous = 0L;
        job.Next = 0L;
    }

    private void SetLink(long slot, int offset, long value)
    {
        using RecordHandle handle = _slab.Pin(slot, PageIntent.Write);
        Span<byte> bytes = handle.Bytes[offset..];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)value);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)(value >> 32));
    }
}
