using System.Net;

namespace RaftQueue.Server.Hosting;

/// <summary>Where HTTP is listened for.</summary>
/// <param name="Text">As configured.</param>
/// <param name="Address">Null: localhost, both families.</param>
/// <param name="Port">0: any free one.</param>
public sealed record HttpAddress(string Text, IPAddress? Address, int Port)
{
    public bool IsLoopback => Address is null || IPAddress.IsLoopback(Address);

    /// <summary>Reads <c>http://ADDRESS:PORT</c>, where the address is an IP address, <c>localhost</c> or <c>*</c>.</summary>
    public static HttpAddress? TryParse(string text)
    {
        const string Scheme = "http://";
        if (!text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        string rest = text[Scheme.Length..].TrimEnd('/');
        bool isAny = rest.StartsWith("*:", StringComparison.Ordinal);
        if (!Uri.TryCreate(isAny ? $"{Scheme}0.0.0.0{rest[1..]}" : Scheme + rest, UriKind.Absolute, out Uri? uri)) return null;
        if (uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0) return null;
        if (isAny) return new HttpAddress(text, IPAddress.IPv6Any, uri.Port);
        if (uri.IdnHost == "localhost") return new HttpAddress(text, null, uri.Port);
        return IPAddress.TryParse(uri.IdnHost.Trim('[', ']'), out IPAddress? address) ? new HttpAddress(text, address, uri.Port) : null;
    }
}
