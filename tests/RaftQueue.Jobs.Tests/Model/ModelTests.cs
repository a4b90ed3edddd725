using FsCheck;
using FsCheck.Fluent;

namespace RaftQueue.Jobs.Tests.Model;

public sealed class ModelTests
{
    /// <summary>A failing run prints the steps as the model tells them, and FsCheck the seed: put it in <c>WithReplay</c>.</summary>
    /// <remarks>With memory for 16 pages most of them are evicted again and again: nothing but time may differ.</remarks>
    [Theory]
    [InlineData(0, 16)]
    [InlineData(16, 0)]
    public void The_store_does_what_the_model_does(int localPages, int followerPages)
    {
        Gen<RawStep> step =
            from verb in Gen.Choose(0, 15)
            from later in Gen.Frequency((4, Gen.Constant(0)), (4, Gen.Choose(1, 400)), (1, Gen.Choose(400, 4000)))
            from same in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
            from seed in Gen.Choose(0, int.MaxValue)
            select new RawStep(verb, later, same, seed);
        Gen<RawStep[]> steps = Gen.Choose(1, 60).SelectMany(count => Gen.ArrayOf(step, count));
        Prop.ForAll(Arb.From(steps, Shrink), list => ModelRun.Check(list, localPages, followerPages))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    /// <summary>Without a part of the steps, then without one, then with less time between.</summary>
    private static IEnumerable<RawStep[]> Shrink(RawStep[] steps)
    {
        for (int size = steps.Length / 2; size >= 1; size /= 2)
        {
            for (int start = 0; start + size <= steps.Length; start += size)
                yield return [.. steps[..start], .. steps[(start + size)..]];
        }

        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i].LaterMs == 0) continue;
            RawStep[] copy = [.. steps];
            copy[i] = steps[i] with { LaterMs = steps[i].LaterMs / 2 };
            yield return copy;
        }
    }
}
