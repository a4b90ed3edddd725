using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RaftQueue.Primitives;

namespace RaftQueue.Storage;

/// <summary>One open file of <see cref="LinuxDisk"/>.</summary>
internal sealed unsafe class LinuxFile(string path, SafeFileHandle handle) : IDiskFile
{
    /// <summary>Linux takes at most 1024 parts (IOV_MAX) in one call.</summary>
    private const int MaxVectors = 1024;

    private const int ZeroBytes = 256 * 1024;
    private const int PageBytes = 4096;

    private static readonly byte[] Zeros = new byte[ZeroBytes];

    /// <summary>
    /// What one call writes the page cache keeps in one piece (a large folio), all of it as long as any part is used: it would hold a
    /// fraction of what is read again of a file of scattered pages, and could not be told of a single one that is free. So they are
    /// written one by one; the disk gets neighbours together all the same.
    /// </summary>
    private bool _readAtRandom;

    public long Length
    {
        get
        {
            long length = LinuxCalls.Seek(handle, 0, LinuxCalls.SeekEnd);
            return length >= 0 ? length : throw Failed("lseek");
        }
    }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint count = LinuxCalls.ReadAt(handle, start + done, (nuint)(buffer.Length - done), offset + done);
                if (count == 0) break;
                if (count > 0)
                {
                    done += (int)count;
                }
                else if (Marshal.GetLastPInvokeError() != LinuxCalls.Interrupted)
                {
                    throw Failed("pread");
                }
            }
        }

        return done;
    }

    public void WriteAt(long offset, ReadOnlySpan<byte> data)
    {
        int most = Volatile.Read(ref _readAtRandom) ? PageBytes : data.Length;
        fixed (byte* start = data)
        {
            for (int done = 0; done < data.Length; done += most)
            {
                var vector = new LinuxCalls.IoVector { Base = start + done, Length = (nuint)Math.Min(most, data.Length - done) };
                WriteAll(&vector, 1, offset + done);
            }
        }
    }

    public void WriteGatherAt(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        int most = Math.Min(parts.Count, MaxVectors);
        if (most == 0) return;
        MemoryHandle[] pins = ArrayPool<MemoryHandle>.Shared.Rent(most);
        LinuxCalls.IoVector[] vectors = ArrayPool<LinuxCalls.IoVector>.Shared.Rent(most);
        try
        {
            for (int next = 0; next < parts.Count;)
            {
                int count = Math.Min(parts.Count - next, MaxVectors);
                offset += WriteSome(offset, parts, next, count, pins, vectors);
                next += count;
            }
        }
        finally
        {
            ArrayPool<LinuxCalls.IoVector>.Shared.Return(vectors);
            ArrayPool<MemoryHandle>.Shared.Return(pins, clearArray: true);
        }
    }

    public void DataSync()
    {
        while (LinuxCalls.DataSync(handle) != 0)
        {
            if (Marshal.GetLastPInvokeError() != LinuxCalls.Interrupted) throw Failed("fdatasync");
        }
    }

    public void Allocate(long length)
    {
        long offset = Length;
        if (offset < length)
        {
            bool reserved = TryReserve(offset, length - offset);

            // Real zeros and not only reserved extents: overwriting a written block needs no change of metadata, so that
            // the log's fdatasync stays one write of the device. A file of scattered pages is synced seldom and grows much: what is
            // reserved reads as zeros too.
            bool zeros = !reserved || !Volatile.Read(ref _readAtRandom);
            while (zeros && offset < length)
            {
                int count = (int)Math.Min(ZeroBytes, length - offset);
                WriteAt(offset, Zeros.AsSpan(0, count));
                offset += count;
            }
        }

        DataSync();
    }

    public void SetLength(long length)
    {
        while (LinuxCalls.Truncate(handle, length) != 0)
        {
            if (Marshal.GetLastPInvokeError() != LinuxCalls.Interrupted) throw Failed("ftruncate");
        }
    }

    public void Advise(DiskAdvice advice, long offset, long length)
    {
        int number = advice switch
        {
            DiskAdvice.RandomReads => LinuxCalls.AdviceRandom,
            DiskAdvice.ReadSoon => LinuxCalls.AdviceWillNeed,
            _ => LinuxCalls.AdviceDoNotNeed,
        };

        if (advice == DiskAdvice.RandomReads) Volatile.Write(ref _readAtRandom, true);
        // What it returns tells only whether the kernel listened: an error of the disk comes with the read.
        _ = LinuxCalls.Advise(handle, offset, length, number);
    }

    public void Dispose() => handle.Dispose();

    private long WriteSome(
        long offset,
        IReadOnlyList<ReadOnlyMemory<byte>> parts,
        int first,
        int count,
        MemoryHandle[] pins,
        LinuxCalls.IoVector[] vectors)
    {
        int pinned = 0;
        try
        {
            long total = 0;
            for (; pinned < count; pinned++)
            {
                ReadOnlyMemory<byte> part = parts[first + pinned];
                pins[pinned] = part.Pin();
                vectors[pinned] = new LinuxCalls.IoVector { Base = pins[pinned].Pointer, Length = (nuint)part.Length };
                total += part.Length;
            }

            fixed (LinuxCalls.IoVector* start = vectors)
            {
                WriteAll(start, count, offset);
            }

            return total;
        }
        finally
        {
            for (int index = 0; index < pinned; index++)
            {
                pins[index].Dispose();
            }
        }
    }

    /// <summary>Goes on after short writes; the vectors are used up.</summary>
    private void WriteAll(LinuxCalls.IoVector* vectors, int count, long offset)
    {
        while (true)
        {
            while (count > 0 && vectors->Length == 0)
            {
                vectors++;
                count--;
            }

            if (count == 0) return;
            nint written = LinuxCalls.WriteVectorAt(handle, vectors, count, offset);
            if (written < 0)
            {
                if (Marshal.GetLastPInvokeError() == LinuxCalls.Interrupted) continue;
                throw Failed("pwritev");
            }

            offset += written;
            for (var rest = (nuint)written; rest > 0;)
            {
                nuint taken = Math.Min(rest, vectors->Length);
                vectors->Base = (byte*)vectors->Base + taken;
                vectors->Length -= taken;
                rest -= taken;
                if (vectors->Length > 0) continue;
                vectors++;
                count--;
            }
        }
    }

    /// <summary>False where the file system cannot reserve: it gives its blocks to what is written.</summary>
    private bool TryReserve(long offset, long length)
    {
        int errno;
        do
        {
            errno = LinuxCalls.Allocate(handle, offset, length);
        }
        while (errno == LinuxCalls.Interrupted);

        if (errno == LinuxCalls.NotSupported) return false;
        if (errno != 0) throw new DiskException("posix_fallocate", path, errno);
        return true;
    }

    private DiskException Failed(string call) => new(call, path, Marshal.GetLastPInvokeError());
}
