using System.Text.Json.Nodes;

namespace RaftQueue.MessagePack.Tests;

/// <summary>
/// Each line of independent/vectors.jsonl holds a value, the bytes that this writer makes of it and the bytes that another
/// implementation makes of it. Here both are held against this writer and reader; jepsen-style-tests/msgpack-independent/run.sh
/// holds both against the other implementation.
/// New vectors: RAFTQUEUE_VECTORS=/path/to/vectors.jsonl dotnet test, then independent/check.mjs --write.
/// </summary>
public sealed class IndependentVectorTests
{
    [Fact]
    public void TheFileHoldsWhatThisWriterMakes()
    {
        if (Environment.GetEnvironmentVariable("RAFTQUEUE_VECTORS") is { Length: > 0 } path) File.WriteAllLines(path, Vectors());
        int checkedVectors = 0;
        foreach (JsonObject vector in Lines())
        {
            if (vector["ours"] is not { } ours) continue;
            Assert.Equal(ours.GetValue<string>(), Convert.ToHexString(Value.FromJson(vector["value"]).Encode()));
            checkedVectors++;
        }

        Assert.True(checkedVectors > 400);
    }

    [Fact]
    public void ThisReaderUnderstandsBothWriters()
    {
        foreach (JsonObject vector in Lines())
        {
            foreach (string side in new[] { "ours", "theirs" })
            {
                if (vector[side] is not { } hex) continue;
                var reader = new MessagePackReader(Convert.FromHexString(hex.GetValue<string>()));
                Assert.Equal(Value.FromJson(vector["value"]), Value.Read(ref reader));
                Assert.True(reader.IsAtEnd);
            }
        }
    }

    private static IEnumerable<JsonObject> Lines() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "independent", "vectors.jsonl")).Select(line => JsonNode.Parse(line)!.AsObject());

    private static IEnumerable<string> Vectors()
    {
        var random = new Random(20_260_101);
        foreach (Value value in Samples(random))
        {
            var line = new JsonObject { ["value"] = value.ToJson() };
            if (value is not Value.Float) line["ours"] = Convert.ToHexString(value.Encode());
            yield return line.ToJsonString();
        }
    }

    private static IEnumerable<Value> Samples(Random random)
    {
        yield return new Value.Nil();
        yield return new Value.Bool(true);
        yield return new Value.Bool(false);
        foreach (double real in new[] { 0.5, -1.25, 1e300, double.Epsilon }) yield return new Value.Float(real);
        foreach (Int128 edge in Values.Edges().Distinct()) yield return new Value.Integer(edge);
        foreach (int length in new[] { 0, 1, 15, 16, 31, 32, 255, 256 })
        {
            yield return new Value.Text(new string('x', length));
            yield return new Value.Bytes(Convert.ToHexString(new byte[length]));
            yield return new Value.List(new Seq<Value>([.. Enumerable.Range(0, length).Select(_ => new Value.Nil())]));
        }

        foreach (int pairs in new[] { 15, 16, 300 }) yield return Map(pairs, _ => new Value.Bool(true));
        yield return new Value.Text(new string('x', 65_536));
        yield return new Value.Text("Grüße, 日本, \U0001F600");
        for (int i = 0; i < 200; i++) yield return Tree(random, 2);
    }

    private static Value Tree(Random random, int depth) => random.Next(depth > 0 ? 7 : 5) switch
    {
        0 => new Value.Nil(),
        1 => new Value.Bool(random.Next(2) == 0),
        2 => new Value.Integer(random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64)),
        3 => new Value.Text(string.Concat(Enumerable.Range(0, random.Next(50)).Select(_ => (char)random.Next(0x20, 0x3000)))),
        4 => new Value.Bytes(Convert.ToHexString(Enumerable.Range(0, random.Next(50)).Select(_ => (byte)random.Next(256)).ToArray())),
        5 => new Value.List(new Seq<Value>([.. Enumerable.Range(0, random.Next(20)).Select(_ => Tree(random, depth - 1))])),
        _ => Map(random.Next(20), _ => Tree(random, depth - 1)),
    };

    private static Value.Map Map(int pairs, Func<int, Value> value) =>
        new(new Seq<Value>([.. Enumerable.Range(0, pairs).SelectMany(i => new[] { new Value.Text($"k{i}"), value(i) })]));
}
