namespace RaftQueue.Server.Hosting;

/// <summary>One configured member.</summary>
/// <param name="Id">1 and up.</param>
/// <param name="Peer"><c>host:port</c> of its peer listener.</param>
/// <param name="Http">Address of its HTTP interface as others reach it.</param>
public sealed record MemberSetting(int Id, string Peer, string Http);
