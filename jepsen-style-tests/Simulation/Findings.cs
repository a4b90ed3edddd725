namespace RaftQueue.Simulation;

/// <summary>
/// All that is wrong with a run, in the order in which it was seen: a judge that finds something does not keep the others from judging.
/// Of each property the first few; what happened last is kept as it was at the first of all.
/// </summary>
internal sealed class Findings(Func<string> story)
{
    private const int MostOfAProperty = 3;

    private readonly List<Finding> _all = [];

    public IReadOnlyList<Finding> All => _all;

    /// <summary>Plan, timeline of the last events, state of the nodes and last calls when something was found first; else empty.</summary>
    public string Story { get; private set; } = "";

    public void Note(Exception exception)
    {
        var finding = Finding.Of(exception);
        if (_all.Count == 0) Story = story();
        if (_all.Count(known => known.Property == finding.Property) < MostOfAProperty && !_all.Exists(known => known.Message == finding.Message)) _all.Add(finding);
    }

    /// <summary>Whether it ended without an exception; one is noted.</summary>
    public bool Try(Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (Exception exception)
        {
            Note(exception);
            return false;
        }
    }
}
