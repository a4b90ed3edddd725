using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.MessagePack.Tests;

public sealed class FuzzTests
{
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(5_000);

    [Fact]
    public void RandomBytesNeverThrowMoveBackOrAllocate()
    {
        ReadsAll([0x92, 0x01, 0xa1, 0x41]);
        Prop.ForAll(ArbMap.Default.GeneratorFor<byte[]>().ToArbitrary(), bytes => Survives(bytes)).Check(s_config);
    }

    [Fact]
    public void DamagedValuesNeverThrowMoveBackOrAllocate()
    {
        Gen<byte[]> damaged =
            from value in Values.Any
            let bytes = value.Encode()
            from at in Gen.Choose(0, Math.Max(0, bytes.Length - 1))
            from replacement in Gen.Choose(0, 255)
            from cut in Gen.Choose(0, bytes.Length)
            from doCut in Gen.Elements(true, false, false)
            select Damage(bytes, at, (byte)replacement, doCut ? cut : bytes.Length);
        Prop.ForAll(damaged.ToArbitrary(), bytes => Survives(bytes)).Check(s_config);
    }

    private static byte[] Damage(byte[] bytes, int at, byte replacement, int cut)
    {
        bytes[at] = replacement;
        return bytes[..cut];
    }

    private static bool Survives(byte[] bytes)
    {
        // The runtime itself may allocate once on this thread when it recompiles a method; the reader would do so each time.
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 3 && allocated != 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool sane = ReadsAll(bytes);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(sane);
        }

        Assert.Equal(0, allocated);
        return true;
    }

    /// <summary>Calls every method in turn at every place, and goes on behind whatever can be skipped.</summary>
    private static bool ReadsAll(ReadOnlySpan<byte> bytes)
    {
        for (int start = 0; start < bytes.Length; start++)
        {
            var reader = new MessagePackReader(bytes[start..]);
            while (!reader.IsAtEnd)
            {
                int position = reader.Position;
                MessagePackReader copy = reader;
                bool moved = copy.TryReadInt64(out _) | copy.TryReadUInt64(out _) | copy.TryReadInt32(out _) | copy.TryReadDouble(out _)
                    | copy.TryReadBool(out _) | copy.TryReadNil() | copy.TryReadString(out _) | copy.TryReadBinary(out _)
                    | copy.TryReadArrayHeader(out _) | copy.TryReadMapHeader(out _);
                if (moved != (copy.Position > position)) return false;
                if (!reader.TrySkip()) break;
                if (reader.Position <= position || reader.Position > bytes.Length - start) return false;
            }
        }

        return true;
    }
}
