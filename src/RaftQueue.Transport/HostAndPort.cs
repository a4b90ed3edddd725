using System.Globalization;
using System.Net;

namespace RaftQueue.Transport;

/// <summary>"host:port", with an IPv6 address in brackets.</summary>
public readonly record struct HostAndPort(string Host, int Port)
{
    public static bool TryParse(string text, out HostAndPort parsed)
    {
        parsed = default;
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)) return false;
        string host = text[..colon];
        bool bracketed = host.Length > 1 && host[0] == '[' && host[^1] == ']';
        if (bracketed) host = host[1..^1];
        if (port > IPEndPoint.MaxPort || host.Length == 0 || (!bracketed && host.Contains(':', StringComparison.Ordinal))) return false;
        parsed = new HostAndPort(host, port);
        return true;
    }

    /// <summary>The endpoint to listen on; the name is resolved now. Throws <see cref="ArgumentException"/> and SocketException.</summary>
    internal static IPEndPoint ToListen(string address)
    {
        if (!TryParse(address, out HostAndPort parsed)) throw new ArgumentException($"'{address}' is not host:port.", nameof(address));
        if (parsed.Host == "*") return new IPEndPoint(IPAddress.Any, parsed.Port);
        IPAddress ip = IPAddress.TryParse(parsed.Host, out IPAddress? literal) ? literal : Dns.GetHostAddresses(parsed.Host)[0];
        return new IPEndPoint(ip, parsed.Port);
    }

    /// <summary>The endpoint to dial; a name is resolved by each connect.</summary>
    internal EndPoint ToDial() =>
        IPAddress.TryParse(Host, out IPAddress? ip) ? new IPEndPoint(ip, Port) : new DnsEndPoint(Host, Port);
}
