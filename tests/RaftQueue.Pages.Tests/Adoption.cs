using RaftQueue.Primitives;

namespace RaftQueue.Pages.Tests;

/// <summary>Carries what an adopter asks for from a reader to it.</summary>
internal static class Adoption
{
    /// <summary>One question and its answer. False when nothing was asked.</summary>
    public static bool Step(CheckpointReader from, CheckpointAdopter to, int batch = 15)
    {
        PageName[] names = new PageName[batch];
        int count = to.TakeWanted(names);
        byte[] contents = new byte[count * PageStore.PageSize];
        bool[] found = new bool[count];
        int written = from.Read(names.AsSpan(0, count), found, contents);
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            if (!found[i]) continue;
            Assert.True(to.Give(names[i], contents.AsSpan(at, names[i].ContentBytes)), $"{names[i]} was taken");
            at += names[i].ContentBytes;
        }

        Assert.Equal(written, at);
        return count > 0;
    }

    public static void AimAt(this CheckpointAdopter to, CheckpointReader from) => to.Aim(from.Info, from.RootHash, from.Pages);

    public static void Verify(this CheckpointAdopter to)
    {
        while (to.VerifyNext())
        {
        }
    }

    public static void FetchAll(CheckpointReader from, CheckpointAdopter to)
    {
        while (Step(from, to))
        {
        }
    }

    public static CheckpointOutcome Assemble(this CheckpointAdopter to)
    {
        while (to.AssembleNext())
        {
        }

        return to.Outcome;
    }

    /// <summary>From the beginning to the commit.</summary>
    public static AdoptionProgress Run(CheckpointWorld from, CheckpointWorld to, bool verifyOwn = false)
    {
        using CheckpointReader reader = from.File.OpenReader()!;
        using CheckpointAdopter adopter = to.File.BeginAdopt(verifyOwn);
        adopter.Verify();
        adopter.AimAt(reader);
        FetchAll(reader, adopter);
        Assert.True(adopter.HasAll);
        Assert.Equal(CheckpointOutcome.Ready, adopter.Assemble());
        adopter.Commit();
        return adopter.Progress;
    }
}
