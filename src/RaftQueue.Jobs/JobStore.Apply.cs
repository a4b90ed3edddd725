using RaftQueue.Jobs.Commands;
using RaftQueue.Jobs.State;
using RaftQueue.Jobs.Structures;
using RaftQueue.MessagePack;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs;

/// <summary>Entries and commands: stamps, request numbers, idempotency keys, results, the state hash.</summary>
public sealed partial class JobStore
{
    private const int MaxBodyBytes = 256 * 1024 * 1024;

    // The entry under way.
    private readonly PooledBuffer _body = new(64 * 1024, MaxBodyBytes); // of the command's result
    private readonly ScratchBuffer _stored = new();                     // a remembered result
    private ApplyOutput _output = null!;
    private LogIndex _index;
    private long _now;
    private int _timersLeft;
    private ulong _outcome;

    // The command under way.
    private bool _render;
    private bool _keyed;
    private LogIndex? _replayOf;

    /// <summary>
    /// Applies one whole entry, header included, whose index is the next one. Commands that cannot be read, and unknown ones,
    /// have the result <see cref="ResultCode.InvalidCommand"/>; commands of consensus change nothing.
    /// </summary>
    public void Apply(in EntryHeader header, ReadOnlySpan<byte> entryBytes, ApplyOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Invariant.That(header.Index == AppliedIndex.Next, "entries are applied one after the other");
        Invariant.That(header.ApplyLevel <= EntryHeader.CurrentApplyLevel, "this program can apply the entry's level");
        _pages.BeginStep();
        _output = output;
        _index = header.Index;
        _now = Math.Clamp(header.TimestampMs, LastTimestampMs, JobLimits.MaxTimeMs);
        _timersLeft = JobLimits.TimersPerEntry;
        _leasedBytes = 0;
        _outcome = 0;
#if PLANTED_BUGS
        _firstOfTerm = header.Term > AppliedTerm;
        byte own = header.Index.Value > 200 ? (byte)output.Local.Value : (byte)0;
        _jobs.OwnByte = PlantedBugs.Has(PlantedBug.LocalByteInJobPage) ? own : (byte)0;
        _root.OwnByte = PlantedBugs.Has(PlantedBug.LocalByteInRootPage) ? own : (byte)0;
#endif
        if (_root.HashSeed == 0) SeedHashes(entryBytes);

        ReadOnlySpan<byte> commands = entryBytes[EntryHeader.Size..];
        _promoting = null;
        _timersAhead = 0;
        PrefetchTokens(commands);
        FireDue();
        while (CommandFrame.TryTake(ref commands, out CommandFrame frame))
        {
            if (frame.Type < CommandFrame.FirstJobType) continue;
            ApplyCommand(frame);
            FireDue();
        }

        Finish(header, entryBytes);
    }

    private void SeedHashes(ReadOnlySpan<byte> entryBytes)
    {
        _root.HashSeed = StableHash.Hash64(entryBytes) | 1;
        _keys.Seed(_root.HashSeed);
    }

    private void Finish(in EntryHeader header, ReadOnlySpan<byte> entryBytes)
    {
        Note(_root.LastSequence);
        Note(_root.LastFence);
        Note((ulong)_timersLeft);
        _root.AppliedIndex = header.Index.Value;
        _root.AppliedTerm = header.Term.Value;
        _root.LastTimestampMs = _now;
        _root.StateHash = SplitMix64.Mix(SplitMix64.Mix(_root.StateHash ^ StableHash.Hash64(entryBytes)) ^ _outcome);
        _root.QueueDirectoryPage = _queues.DirectoryPage;
        _queues.Flush();
        _root.Save(_pages, Settings);
        _hashes.Add(header.Index, _root.StateHash);
    }

    /// <summary>Makes an outcome part of the state hash.</summary>
    private void Note(ulong value) => _outcome = SplitMix64.Mix(_outcome ^ value);

    private void ApplyCommand(in CommandFrame frame)
    {
        var type = (CommandType)frame.Type;
        bool own = type is CommandType.Settings or CommandType.Tick or CommandType.Checkpoint;
        // A lease request may wait for longer than the window of request numbers reaches. Its origin gives a second grant back.
        bool numbered = !own && type != CommandType.Lease && !frame.Origin.IsNone && frame.RequestNumber != 0;
#if PLANTED_BUGS
        if (PlantedBugs.Has(PlantedBug.RetryAppliedTwice)) numbered = false;
#endif
        bool local = !frame.Origin.IsNone && frame.RequestNumber != 0 && frame.Origin == _output.Local;
        _body.Clear();
        _granted.Clear();
        _render = local;
        _keyed = false;
        _replayOf = null;
        ResultCode code;
        if (numbered && _requests.IsApplied(frame.Origin, frame.RequestNumber))
        {
            code = ResultCode.DuplicateRequest;
        }
        else
        {
            code = Execute(type, frame);
            if (numbered) _requests.Mark(frame.Origin, frame.RequestNumber, _index);
        }

        Note(((ulong)code << 16) | frame.Type);
        _output.Codes.Add(code);
        if (type == CommandType.Lease)
            _output.Grants.Add(new GrantOutcome(frame.Origin, frame.RequestNumber, _granted.Count, code));
        if (local) Render(type, frame.RequestNumber, code);
    }

    private ResultCode Execute(CommandType type, in CommandFrame frame) => type switch
    {
        CommandType.Settings => ApplySettings(frame.Body),
        CommandType.Tick => ResultCode.Ok,
        CommandType.Checkpoint => NameCheckpoint(),
        CommandType.Enqueue => ApplyEnqueue(frame.Body),
        CommandType.Lease => ApplyLease(frame.Body),
        CommandType.Ack => ApplyTokens<AckItem>(type, frame.Body, _ack),
        CommandType.Nack => ApplyTokens<NackItem>(type, frame.Body, _nack),
        CommandType.Extend => ApplyTokens<ExtendItem>(type, frame.Body, _extend),
        CommandType.Release => ApplyTokens<ReleaseItem>(type, frame.Body, _release),
        CommandType.Reschedule => ApplyTokens<RescheduleItem>(type, frame.Body, _reschedule),
        CommandType.Revoke => ApplyTokens<RevokeItem>(type, frame.Body, _revoke),
        CommandType.Cancel => ApplyCancel(frame.Body),
        CommandType.PutQueue => ApplyPutQueue(frame.Body),
        _ => ResultCode.InvalidCommand,
    };

    private ResultCode NameCheckpoint()
    {
        _output.CheckpointNamed = true;
        return ResultCode.Ok;
    }

    private ResultCode ApplySettings(ReadOnlySpan<byte> body)
    {
        if (!SettingsCommand.TryRead(body, out ReplicatedSettings? settings)) return ResultCode.InvalidCommand;
        bool keepsOther = settings!.DefaultKeepFinished != Settings.DefaultKeepFinished;
        Settings = settings;
        for (int i = 0; keepsOther && i < _queues.Count; i++) TrimLater(_queues[i]);
        return ResultCode.Ok;
    }

    /// <summary>
    /// True when the key decides: a replay of what it first did, a conflict, or no room for it. Else the command goes on, and
    /// its result is rendered whoever asked, because it becomes state.
    /// </summary>
    private bool IsDecidedByKey(in CommandEnvelope envelope, out ResultCode code)
    {
        code = ResultCode.Ok;
        if (!envelope.HasKey) return false;
        _render = true;
        _keyed = true;
        if (_idempotency.TryFind(envelope, out long slot, out IdempotencyRecord record))
        {
            if (record.ExpiresAt > _now)
            {
                if (IdempotencyKeys.SameBody(envelope, record)) Replay(record);
                else code = ResultCode.IdempotencyConflict;
                return true;
            }

            _idempotency.Forget(slot);
        }

        if (_idempotency.Count < Settings.MaxIdempotencyKeys) return false;
        code = ResultCode.IdempotencyFull;
        return true;
    }

    private void Replay(in IdempotencyRecord record)
    {
        _replayOf = new LogIndex(record.Index);
        Span<byte> stored = _stored.Take(_idempotency.ResultLength(record));
        _idempotency.ReadResult(record, stored);
        if (record.Type == CommandType.Lease) ReplayGrants(stored);
        else _body.Write(stored);
    }

    /// <summary>Remembers an accepted command's result under its key. Returns the code.</summary>
    private ResultCode Remember(in CommandEnvelope envelope, CommandType type, ResultCode code)
    {
#if PLANTED_BUGS
        if (envelope.HasKey && code == ResultCode.Ok && PlantedBugs.Has(PlantedBug.KeyWindowInSeconds))
            _idempotency.Remember(envelope, type, _index, _now + (Settings.IdempotencyWindowMs / 1000), _body.WrittenSpan);
        else
#endif
        if (envelope.HasKey && code == ResultCode.Ok)
            _idempotency.Remember(envelope, type, _index, _now + Settings.IdempotencyWindowMs, _body.WrittenSpan);
        return code;
    }

    private void Render(CommandType type, ulong requestNumber, ResultCode code)
    {
        int offset = _output.Buffer.Length;
        var writer = new MessagePackWriter(_output.Buffer);
        writer.WriteArrayHeader(4);
        writer.WriteInt64((byte)code);
        writer.WriteBool(_replayOf is not null);
        writer.WriteInt64((_replayOf ?? _index).Value);
        writer.WriteRawOrNil(_body.WrittenSpan);
        _output.Results.Add(new CommandResult(type, requestNumber, code, _index, offset, _output.Buffer.Length - offset, _keyed));
    }
}
