using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.MessagePack.Tests;

/// <summary>Generators, with the edges of every size class.</summary>
public static class Values
{
    private static readonly int[] s_lengths = [0, 1, 15, 16, 31, 32, 33, 255, 256, 300];

    public static Gen<Value> Integer { get; } = Gen.OneOf(
        Gen.Elements(Edges().ToArray()).Select(value => (Value)new Value.Integer(value)),
        ArbMap.Default.GeneratorFor<long>().Select(value => (Value)new Value.Integer(value)),
        ArbMap.Default.GeneratorFor<ulong>().Select(value => (Value)new Value.Integer(value)));

    public static Gen<Value> Scalar { get; } = Gen.OneOf(
        Integer,
        Gen.Constant((Value)new Value.Nil()),
        ArbMap.Default.GeneratorFor<bool>().Select(value => (Value)new Value.Bool(value)),
        Text(),
        Bytes());

    public static Gen<Value> Any { get; } = Gen.Sized(size => Tree(Math.Min(size, 40)));

    public static IEnumerable<Int128> Edges()
    {
        for (int bits = 0; bits <= 64; bits++)
        {
            for (int delta = -1; delta <= 1; delta++)
            {
                Int128 value = (Int128.One << bits) + delta;
                if (value <= ulong.MaxValue) yield return value;
                if (-value >= long.MinValue) yield return -value;
            }
        }

        yield return -32;
        yield return -33;
    }

    private static Gen<Value> Tree(int size)
    {
        if (size <= 1) return Scalar;
        Gen<Seq<Value>> Items(int factor) =>
            from count in Gen.Choose(0, Math.Min(size, 20))
            from items in Gen.ArrayOf(Tree(size / (count + 2)), factor * count)
            select new Seq<Value>(items);
        return Gen.Frequency(
            (3, Scalar),
            (2, Items(1).Select(items => (Value)new Value.List(items))),
            (2, Items(2).Select(items => (Value)new Value.Map(items))));
    }

    private static Gen<Value> Text() =>
        from length in Gen.Elements(s_lengths)
        from runes in Gen.ArrayOf(Gen.OneOf(Gen.Choose(0x20, 0x7e), Gen.Choose(0xa0, 0xd7ff), Gen.Choose(0x10000, 0x10ffff)), length)
        select (Value)new Value.Text(string.Concat(runes.Select(rune => new Rune(rune).ToString())));

    private static Gen<Value> Bytes() =>
        from length in Gen.Elements(s_lengths)
        from bytes in Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>(), length)
        select (Value)new Value.Bytes(Convert.ToHexString(bytes));
}
