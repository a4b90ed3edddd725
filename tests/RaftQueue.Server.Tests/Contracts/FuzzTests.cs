using RaftQueue.Primitives;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

/// <summary>Garbage and near misses never do more than being refused, and what is taken can be read by apply.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 20_000;

    private static readonly byte[][] JsonSeeds =
    [
        Encoding.UTF8.GetBytes("""{"payload":{"a":[1,"\ud83d\ude00"]},"type":"t","priority":1,"unique":{"key":"k","until":"window","windowMs":5}}"""),
        Encoding.UTF8.GetBytes("""{"jobs":[{"payloadBase64":"YWJj","contentType":"x"},{"tags":["a","b"],"headers":{"h":"v"},"retry":{"jitter":0.5}}]}"""),
        Encoding.UTF8.GetBytes("""{"queues":["a","b"],"maxJobs":3,"leaseMs":1000,"worker":"w","pullAheadMs":1}"""),
        Encoding.UTF8.GetBytes("""{"extends":[{"token":"t","leaseMs":1000,"progress":{"p":1}}]}"""),
        Encoding.UTF8.GetBytes("""{"reschedules":[{"token":"t","runAt":"2026-01-31T00:00:00Z","payload":[1],"priority":2}]}"""),
        Encoding.UTF8.GetBytes("""{"defaults":{"retry":{"backoff":"fixed"},"tags":["a"]},"uniqueBy":["/a"],"keepFinished":1}"""),
    ];

    private static readonly byte[][] PackSeeds =
    [
        Pack.Map(("payload", Pack.Text("{\"a\":1}")), ("tags", Pack.Array(Pack.Text("a"))), ("retry", Pack.Map(("jitter", Pack.Double(0.5))))),
        Pack.Map(("jobs", Pack.Array(Pack.Map(("payloadBytes", Pack.Binary([1, 2, 3]))), Pack.Map(("headers", Pack.Map(("h", Pack.Text("v")))))))),
        Pack.Map(("queues", Pack.Array(Pack.Text("a"))), ("maxJobs", Pack.Integer(5))),
        Pack.Map(("acks", Pack.Array(Pack.Map(("token", Pack.Text("t")), ("result", Pack.Text("[1]")))))),
    ];

    [Fact]
    public void MutatedJsonIsTakenOrRefused() => Run(JsonSeeds, BodyFormat.Json, seed: 4711);

    [Fact]
    public void MutatedMessagePackIsTakenOrRefused() => Run(PackSeeds, BodyFormat.MessagePack, seed: 4712);

    private static void Run(byte[][] seeds, BodyFormat format, ulong seed)
    {
        var random = new SplitMix64(seed);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] body = Mutate(random, seeds);
            try
            {
                if (Parsing.Enqueue(body, format, out RequestScratch scratch) is null) Assert.NotEmpty(Parsing.Jobs(scratch));
                Parsing.Lease(body, format);
                foreach (TokenVerb verb in Enum.GetValues<TokenVerb>()) Parsing.Tokens(body, format, verb);
                if (format == BodyFormat.Json) Parsing.Settings(body, out _);
            }
            catch (Exception exception)
            {
                Assert.Fail($"{format}, seed {seed}, round {round}, body {Convert.ToHexString(body)}: {exception}");
            }
        }
    }

    private static byte[] Mutate(SplitMix64 random, byte[][] seeds)
    {
        byte[] chosen = seeds[random.NextBelow(seeds.Length)];
        var body = new List<byte>(chosen);
        for (long changes = random.NextBelow(4); changes >= 0; changes--)
        {
            int at = (int)random.NextBelow(body.Count + 1);
            switch (random.NextBelow(5))
            {
                case 0 when at < body.Count:
                    body[at] = (byte)random.NextUInt64();
                    break;
                case 1:
                    body.Insert(at, (byte)random.NextUInt64());
                    break;
                case 2 when at < body.Count:
                    body.RemoveRange(at, (int)random.NextBelow(Math.Min(8, body.Count - at) + 1));
                    break;
                case 3:
                    body.RemoveRange(at, body.Count - at);
                    break;
                default:
                    int length = (int)random.NextBelow(Math.Min(16, body.Count) + 1);
                    body.InsertRange(at, body.GetRange((int)random.NextBelow(body.Count - length + 1), length));
                    break;
            }
        }

        return [.. body];
    }
}
