using System.Text;
using System.Text.Json;

namespace RaftQueue.Server.Contracts;

/// <summary>A name or fixed word of replies, encoded once for both formats.</summary>
public sealed class Word
{
    public Word(string text)
    {
        Json = JsonEncodedText.Encode(text);
        Utf8 = Encoding.UTF8.GetBytes(text);
    }

    internal JsonEncodedText Json { get; }

    internal byte[] Utf8 { get; }

    public override string ToString() => Json.ToString();
}
