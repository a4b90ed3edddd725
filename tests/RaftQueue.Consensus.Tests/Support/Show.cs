namespace RaftQueue.Consensus.Tests.Support;

/// <summary>One line of text for what is seen in traces and transcripts.</summary>
internal static class Show
{
    public static string Text(SimNode node, RaftNode core) =>
        $"{node.Id} {core.Role} term {core.Term} leader {core.Leader} last {core.LastTerm}/{core.LastIndex} durable {core.DurableIndex} "
        + $"commit {core.CommitIndex} checkpoint {node.Disk.CheckpointIndex} {core.Membership}";

    public static string Text(Message message)
    {
        string text = $"{message.From}->{message.To} {message.Kind} term {message.Term}";
        if (message.Index.Value > 0 || message.LogTerm.Value > 0) text += $" at {message.LogTerm}/{message.Index}";
        if (message.Entries.Count > 0) text += " entries " + string.Join(',', message.Entries);
        if (message.Commit.Value > 0) text += $" commit {message.Commit}";
        if (message.Reject) text += " reject";
        if (message.Reject && message.Kind == MessageKind.AppendReply) text += $" hint {message.HintTerm}/{message.HintIndex}";
        if (message.Force) text += " force";
        if (message.Context > 0) text += $" round {message.Context}";
        return text;
    }
}
