namespace RaftQueue.Client;

internal sealed record RescheduleRequest(IReadOnlyList<Reschedule> Reschedules);
