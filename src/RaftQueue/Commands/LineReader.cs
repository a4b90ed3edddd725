using System.Buffers;
using System.IO.Pipelines;

namespace RaftQueue.Commands;

/// <summary>
/// Reads lines of a stream as bytes, in batches of what has arrived: a batch never waits for more input once it holds a line, so
/// that a slow producer's jobs are enqueued as they come. A line is bounded.
/// </summary>
internal sealed class LineReader(Stream input, int mostLines, int mostBytes, bool wholeBatches)
{
    /// <summary>The longest line: a payload's limit with room for the server's setting to be raised.</summary>
    public const int MostLineBytes = 8 << 20;

    private readonly PipeReader _pipe = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
    private bool _ended;

    /// <summary>The next lines without their line breaks; empty at the end of the input.</summary>
    /// <exception cref="IOException">A line is too long.</exception>
    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken cancel)
    {
        var lines = new List<byte[]>();
        int bytes = 0;
        while (!_ended)
        {
            if (lines.Count > 0 && !wholeBatches && !_pipe.TryRead(out ReadResult result)) return lines;
            else if (lines.Count == 0 || wholeBatches) result = await _pipe.ReadAsync(cancel);
            else result = default;
            ReadOnlySequence<byte> buffer = result.Buffer;
            bool isFull = Take(ref buffer, lines, ref bytes);
            if (isFull)
            {
                _pipe.AdvanceTo(buffer.Start);
                return lines;
            }

            if (buffer.Length > MostLineBytes) throw new IOException($"a line is longer than {MostLineBytes} bytes");
            if (result.IsCompleted)
            {
                _ended = true;
                if (!buffer.IsEmpty) lines.Add(buffer.ToArray());
            }

            _pipe.AdvanceTo(buffer.Start, buffer.End);
        }

        return lines;
    }

    /// <summary>Moves whole lines from the buffer into the list; true when the batch is full.</summary>
    private bool Take(ref ReadOnlySequence<byte> buffer, List<byte[]> lines, ref int bytes)
    {
        while (buffer.PositionOf((byte)'\n') is { } end)
        {
            ReadOnlySequence<byte> line = buffer.Slice(0, end);
            if (lines.Count == mostLines || (lines.Count > 0 && bytes + line.Length > mostBytes)) return true;
            lines.Add(line.ToArray());
            bytes += (int)line.Length;
            buffer = buffer.Slice(buffer.GetPosition(1, end));
        }

        return lines.Count == mostLines;
    }
}
