using RaftQueue.Primitives;
using RaftQueue.Transport;

namespace RaftQueue.Simulation;

/// <summary>One connection between two nodes, from a handshake to its break.</summary>
internal sealed class SimulatedConnection : IDisposable
{
    private readonly SimulatedStream _ofFirst;
    private readonly SimulatedStream _ofSecond;

    public SimulatedConnection(
        NetworkPath forth, NetworkPath back, Handshake first, Handshake second, TransportOptions options)
    {
        _ofFirst = new SimulatedStream(this, forth, first, second, options);
        _ofSecond = new SimulatedStream(this, back, second, first, options);
    }

    public bool IsOpen { get; private set; } = true;

    /// <summary>At this end there is nobody any more, and the other end does not know.</summary>
    public NodeId? DeadEnd { get; set; }

    public SimulatedStream From(NodeId sender) => sender == _ofFirst.Path.From ? _ofFirst : _ofSecond;

    public void Dispose()
    {
        IsOpen = false;
        _ofFirst.Dispose();
        _ofSecond.Dispose();
    }
}
