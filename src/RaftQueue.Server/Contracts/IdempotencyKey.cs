using System.Security.Cryptography;
using System.Text;
using RaftQueue.Jobs.Commands;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// A request's <c>Idempotency-Key</c> as commands carry it: SHA-256, cut to 16 bytes, of caller, path and key, and of the body.
/// </summary>
public sealed class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    private const int MaxLength = 128;
    private readonly byte[] _scopedKey;
    private readonly byte[] _bodyHash;

    private IdempotencyKey(byte[] scopedKey, byte[] bodyHash)
    {
        _scopedKey = scopedKey;
        _bodyHash = bodyHash;
    }

    public CommandEnvelope Envelope => new() { ScopedKey = _scopedKey, BodyHash = _bodyHash };

    /// <summary>1 to 128 printable ASCII characters.</summary>
    public static bool IsValid(string key) => key.Length is >= 1 and <= MaxLength && key.All(c => c is >= ' ' and <= '~');

    /// <param name="caller">Who asks; empty for anonymous.</param>
    /// <param name="path">The request's path, without the query.</param>
    /// <param name="key">A valid key.</param>
    /// <param name="body">The body as received.</param>
    public static IdempotencyKey Of(string caller, string path, string key, ReadOnlySpan<byte> body)
    {
        // None of the three can hold a zero character.
        byte[] scope = SHA256.HashData(Encoding.UTF8.GetBytes($"{caller}\0{path}\0{key}"));
        return new IdempotencyKey(scope[..CommandEnvelope.HashBytes], SHA256.HashData(body)[..CommandEnvelope.HashBytes]);
    }
}
