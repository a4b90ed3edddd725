using RaftQueue.Checkers;
using RaftQueue.Primitives;

namespace RaftQueue.Simulation;

/// <summary>
/// One user: makes its steps one after the other, each through a random node, and waits for the answer or gives up. Looks at its call
/// after every step of the simulation, so that what it saw first is also first in the history.
/// </summary>
internal sealed class SimulatedClient(
    SimulatedCluster cluster, Workload workload, IEnumerable<ClientStep> steps, History history, ClientShared shared, int number)
{
    private const long PatienceMicroseconds = 20_000_000;
    private const long NoNodeMicroseconds = 50_000;

    private readonly Queue<ClientStep> _steps = new(steps.Where(step => step.Client == number));
    private readonly ClientRequests _requests = new(cluster, workload, history, shared, number);
    private SplitMix64 _random = new(0);
    private ClientCall? _call;
    private long _nextAt = -1;
    private long _givesUpAt;
    private int _breaksSeen;

    public long NextMicroseconds => _call is not null ? _givesUpAt : _steps.Count > 0 ? Math.Max(0, _nextAt) : long.MaxValue;

    public bool IsIdle => _call is null;

    private long Now => cluster.Clock.MonotonicMicroseconds;

    /// <summary>Notes an answer that came.</summary>
    public void Poll()
    {
        if (_call is null) return;
        SimulatedNode? asked = cluster.Nodes.Find(node => node.Node == _call.Node);
        bool nodeGone = asked is null || asked.ClientBreaks != _breaksSeen;
        // Answers that do not get through wait in the node's socket.
        if (_call.IsAnswered && !nodeGone && asked!.IsCutFromClients && Now < _givesUpAt) return;
        bool reached = _call.IsAnswered && (asked is null || (asked.ClientBreaks == _breaksSeen && !asked.IsCutFromClients));
        if (reached) _call.NoteAnswer();
        else if (nodeGone || Now >= _givesUpAt) _call.GiveUp();
        else return;
        ClientCall call = _call;
        _call = null;
        history.Returned(call.Operation);
        foreach (Operation row in call.Operation.Rows) history.Returned(row);
        if (call.Operation.End == OperationEnd.Applied) shared.Learn(call.Operation, _random);
        else if (call.Operation.End == OperationEnd.Info) shared.Lost(call.Operation);
        Think();
    }

    /// <summary>Starts the next call when it is time.</summary>
    public void Act()
    {
        if (_nextAt < 0) Think();
        if (_call is not null || _steps.Count == 0 || Now < _nextAt) return;
        List<SimulatedNode> running = cluster.Nodes.FindAll(node => node is { IsRunning: true, IsCutFromClients: false });
        if (running.Count == 0)
        {
            _nextAt = Now + NoNodeMicroseconds;
            return;
        }

        long notBefore = shared.NotBefore(_steps.Peek(), workload.Burst);
        if (Now < notBefore)
        {
            _nextAt = notBefore;
            return;
        }

        ClientStep step = _steps.Dequeue();
        _random = new SplitMix64(step.Seed);
        SimulatedNode asked = running[(int)_random.NextBelow(running.Count)];
        // Some leave before the answer can come: what they asked for goes on without them.
        _givesUpAt = Now + (_random.NextBelow(14) == 0 ? _random.NextBelow(1_500_000) : PatienceMicroseconds);
        _breaksSeen = asked.ClientBreaks;
        _call = _requests.Make(step, asked, _random);
        Poll();
    }

    private void Think() => _nextAt = Now + (_steps.TryPeek(out ClientStep? next) ? next.ThinkMs * 1000 : 0);
}
