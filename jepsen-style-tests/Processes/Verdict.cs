namespace RaftQueue.Processes;

/// <summary>Counts what holds and says what does not.</summary>
internal sealed class Verdict
{
    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public void Check(string meaning, bool holds)
    {
        if (holds)
        {
            Passed++;
            return;
        }

        Failed++;
        Console.WriteLine($"FAILED: {meaning}");
    }
}
