using System.Globalization;
using System.Runtime.CompilerServices;
using RaftQueue.Primitives;

namespace RaftQueue.Jobs.Tests.Structures;

/// <summary>Runs a random test with a seed; a failure says how to run it again.</summary>
internal static class Replay
{
    private const string Variable = "RAFTQUEUE_STRUCTURES_SEED";

    public static void Run(ulong seed, Action<SplitMix64> test, [CallerMemberName] string name = "")
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            seed = ulong.Parse(given, CultureInfo.InvariantCulture);
        try
        {
            test(new SplitMix64(seed));
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(
                $"Failed with seed {seed}. Again: {Variable}={seed} dotnet test -c Release tests/RaftQueue.Jobs.Tests --filter \"DisplayName~{name}\"",
                failure);
        }
    }

    public static int Below(this SplitMix64 random, int bound) => (int)(random.NextUInt64() % (uint)bound);

    public static byte[] Bytes(this SplitMix64 random, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)random.NextUInt64();
        return bytes;
    }
}
