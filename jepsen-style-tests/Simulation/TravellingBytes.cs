namespace RaftQueue.Simulation;

/// <summary>A part of a pooled array of which <paramref name="Whole"/> bytes travel; whoever gets the last of them returns it.</summary>
internal readonly record struct TravellingBytes(byte[] Array, int Start, int Length, int Whole);
