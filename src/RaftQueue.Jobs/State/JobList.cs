namespace RaftQueue.Jobs.State;

/// <summary>Ends of a list that runs through job records; slots, 0 when empty.</summary>
internal struct JobList
{
    public long Head;
    public long Tail;
}
