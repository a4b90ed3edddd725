using System.Runtime.CompilerServices;
using RaftQueue.Consensus.Tests.Support;

namespace RaftQueue.Consensus.Tests;

/// <summary>
/// Each file of Transcripts is commands to one core and what it asked for after each. RAFTQUEUE_WRITE_TRANSCRIPTS=1 writes the
/// answers anew: read the difference before it is committed.
/// </summary>
public sealed class TranscriptTests
{
    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (string file in Directory.GetFiles(Folder(), "*.txt").Order(StringComparer.Ordinal)) names.Add(Path.GetFileNameWithoutExtension(file));
        return names;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheCoreAnswersAsWritten(string name)
    {
        string file = Path.Combine(Folder(), name + ".txt");
        string[] lines = File.ReadAllLines(file);
        string now = Transcript.Run(lines);
        if (Environment.GetEnvironmentVariable("RAFTQUEUE_WRITE_TRANSCRIPTS") == "1") File.WriteAllText(file, now);
        string written = string.Join('\n', lines) + '\n';
        Assert.True(
            now == written || Environment.GetEnvironmentVariable("RAFTQUEUE_WRITE_TRANSCRIPTS") == "1",
            $"{name} differs from line {FirstDifference(written, now)} on:\n{now}\nIf that is meant: RAFTQUEUE_WRITE_TRANSCRIPTS=1 "
            + "dotnet test -c Release tests/RaftQueue.Consensus.Tests --filter FullyQualifiedName~Transcript");
    }

    private static int FirstDifference(string left, string right)
    {
        string[] a = left.Split('\n');
        string[] b = right.Split('\n');
        int line = 0;
        while (line < a.Length && line < b.Length && a[line] == b[line]) line++;
        return line + 1;
    }

    private static string Folder([CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, "Transcripts");
}
