namespace RaftQueue.Commands;

/// <summary>What a command did with a job.</summary>
/// <param name="Exit">Its exit code; null when it was stopped from here.</param>
/// <param name="Output">Its standard output, cut when too long.</param>
/// <param name="IsOutputCut">There was more output than a result may hold.</param>
/// <param name="Error">The last 4 KiB of its standard error.</param>
internal sealed record ChildResult(int? Exit, byte[] Output, bool IsOutputCut, byte[] Error);
