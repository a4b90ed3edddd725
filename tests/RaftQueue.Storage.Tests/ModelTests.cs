using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Consensus;
using RaftQueue.Primitives;
using RaftQueue.TestKit;

namespace RaftQueue.Storage.Tests;

/// <summary>Any order of appends, supersessions, releases, checkpoint restarts and starts against a plain dictionary.</summary>
public sealed class ModelTests
{
    private const int Shards = 3;

    private enum Step
    {
        Append,
        AppendLarge,
        Supersede,
        Release,
        RestartAt,
        Run,
        Idle,
        Die,
        PowerOff,
    }

    [Fact]
    public void TheLogIsWhatADictionaryWouldBe()
    {
        // Replay a failure with Config.QuickThrowOnFailure.WithReplay(seed, size) and the seed that it prints.
        Gen<(Step Kind, int Shard, int Amount)> step =
            from kind in Gen.Frequency(
                (6, Gen.Constant(Step.Append)),
                (2, Gen.Constant(Step.AppendLarge)),
                (3, Gen.Constant(Step.Supersede)),
                (3, Gen.Constant(Step.Release)),
                (1, Gen.Constant(Step.RestartAt)),
                (4, Gen.Constant(Step.Run)),
                (1, Gen.Constant(Step.Idle)),
                (1, Gen.Constant(Step.Die)),
                (1, Gen.Constant(Step.PowerOff)))
            from shard in Gen.Choose(0, Shards - 1)
            from amount in Gen.Choose(1, 6)
            select (kind, shard, amount);
        Prop.ForAll(step.ListOf().Resize(120).ToArbitrary(), steps => new Model().Play(steps))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(150));
    }

    private sealed class Model
    {
        private readonly WalFixture _fixture = new(
            new WalOptions { SegmentBytes = 64 * 1024, Shards = Shards, ReserveSegments = 1, CacheBytesPerShard = 3000 });

        private readonly SortedDictionary<long, LogEntry>[] _entries = new SortedDictionary<long, LogEntry>[Shards];
        private readonly long[] _first = new long[Shards];
        private readonly long[] _last = new long[Shards];
        private readonly long[] _lastTerm = new long[Shards];
        private readonly long[] _newestTerm = new long[Shards];

        public void Play(IEnumerable<(Step Kind, int Shard, int Amount)> steps)
        {
            for (int shard = 0; shard < Shards; shard++)
            {
                _entries[shard] = [];
                _first[shard] = 1;
                _newestTerm[shard] = 1;
            }

            _fixture.Open();
            foreach ((Step kind, int shard, int amount) in steps)
            {
                Do(kind, shard, amount);
                Compare();
            }
        }

        private void Do(Step kind, int shard, int amount)
        {
            switch (kind)
            {
                case Step.Append:
                    Append(shard, _last[shard] + 1, amount, 60 * amount);
                    break;
                case Step.AppendLarge:
                    Append(shard, _last[shard] + 1, amount, 7000);
                    break;
                case Step.Supersede:
                    _newestTerm[shard]++;
                    Append(shard, Math.Max(_first[shard], _last[shard] - amount), amount, 100);
                    break;
                case Step.Release:
                    Release(shard, Math.Min(_last[shard], _first[shard] + amount));
                    break;
                case Step.RestartAt:
                    RestartAt(shard, _last[shard] + amount);
                    break;
                case Step.Run:
                    _fixture.Run();
                    break;
                case Step.Idle:
                    _fixture.RunToMark();
                    break;
                case Step.Die:
                case Step.PowerOff:
                    // Only what is durable counts after an end; so all is written first. The crash tests do the rest.
                    _fixture.RunToMark();
                    _fixture.CrashAndOpen(kind == Step.Die ? CrashMode.ProcessDeath : CrashMode.PowerLoss);
                    break;
            }
        }

        private void Append(int shard, long first, int count, int bodyBytes)
        {
            List<LogEntry> entries = TestEntries.Range(shard, _newestTerm[shard], first, first + count - 1, bodyBytes);
            foreach (long dropped in _entries[shard].Keys.Where(index => index >= first).ToArray())
            {
                _entries[shard].Remove(dropped);
            }

            entries.ForEach(entry => _entries[shard].Add(entry.Index.Value, entry));
            _last[shard] = first + count - 1;
            _lastTerm[shard] = _newestTerm[shard];
            _fixture.Wal.Append(new ShardId((ushort)shard), entries);
        }

        private void Release(int shard, long upTo)
        {
            if (upTo < _first[shard]) return;
            _fixture.Run();
            _fixture.Wal.Release(new ShardId((ushort)shard), new LogIndex(upTo));
            Drop(shard, upTo);
        }

        private void RestartAt(int shard, long index)
        {
            _newestTerm[shard]++;
            _lastTerm[shard] = _newestTerm[shard];
            _last[shard] = index;
            _fixture.Wal.RestartAt(new ShardId((ushort)shard), new LogIndex(index), new Term(_newestTerm[shard]));
            Drop(shard, index);
        }

        private void Drop(int shard, long upTo)
        {
            foreach (long dropped in _entries[shard].Keys.Where(index => index <= upTo).ToArray())
            {
                _entries[shard].Remove(dropped);
            }

            _first[shard] = upTo + 1;
        }

        private void Compare()
        {
            for (int shard = 0; shard < Shards; shard++)
            {
                IStoredLog log = _fixture.Wal.Log(new ShardId((ushort)shard));
                Assert.Equal(_last[shard], log.LastIndex.Value);
                Assert.Equal(_first[shard], log.FirstIndex.Value);
                if (_last[shard] > 0) Assert.Equal(_lastTerm[shard], log.TermAt(log.LastIndex)!.Value.Value);
                List<LogEntry> found = TestEntries.ReadAll(_fixture.Wal, shard);
                Assert.Equal(_entries[shard].Values.Select(entry => (entry.Index, entry.Term)), found.Select(entry => (entry.Index, entry.Term)));
                Assert.True(_entries[shard].Values.Zip(found).All(pair => pair.First.Bytes.Span.SequenceEqual(pair.Second.Bytes.Span)));
                Assert.Null(_fixture.Wal.Recovered(new ShardId((ushort)shard)).DamageReport);
            }
        }
    }
}
