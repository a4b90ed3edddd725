using RaftQueue.Checkers;
using RaftQueue.Runtime;

namespace RaftQueue.Simulation;

/// <summary>A call under way: of a command or of a read.</summary>
internal sealed class ClientCall(Operation operation, Node node, CancellationTokenSource gone)
{
    public Operation Operation => operation;

    public Node Node => node;

    public Task<CommandOutcome>? Command { get; init; }

    public Task<ReadOutcome>? Read { get; init; }

    public bool IsAnswered => Command?.IsCompleted ?? Read!.IsCompleted;

    public void NoteAnswer()
    {
        if (Command is not null) ClientAnswers.Note(operation, Command.GetAwaiter().GetResult());
        else ClientAnswers.Note(operation, Read!.GetAwaiter().GetResult());
    }

    /// <summary>The client closes its connection; the node notices.</summary>
    public void GiveUp()
    {
        operation.End = OperationEnd.Info;
        gone.Cancel();
    }
}
