using System.Text;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// The members an object may have, by number. Finds one by its UTF-8 name without allocating. Immutable.
/// </summary>
public sealed class Fields
{
    private const int MaxLength = 32;
    private readonly string[] _names;
    private readonly byte[][] _utf8;
    private readonly int[][] _byLength = new int[MaxLength + 1][];

    /// <param name="names">Numbered 0 … 62 in this order.</param>
    public Fields(params string[] names)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(names.Length, 63);
        _names = names;
        _utf8 = [.. names.Select(Encoding.UTF8.GetBytes)];
        for (int length = 0; length <= MaxLength; length++)
        {
            _byLength[length] = [.. Enumerable.Range(0, names.Length).Where(i => _utf8[i].Length == length)];
        }
    }

    /// <summary>The number of a member, or -1 for none of them.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxLength) return -1;
        foreach (int i in _byLength[name.Length])
        {
            if (name.SequenceEqual(_utf8[i])) return i;
        }

        return -1;
    }

    public string NameOf(int field) => _names[field];

    public override string ToString() => string.Join(", ", _names);

    /// <summary>
    /// Goes to the next member that is known and comes for the first time; names all others as errors and passes over them.
    /// <paramref name="seen"/> starts as 0 and holds a bit for each member met.
    /// </summary>
    public bool Next(scoped ref ValueReader reader, ref int membersLeft, ref ulong seen, RequestErrors errors, out int field)
    {
        while (reader.NextMember(ref membersLeft, out ReadOnlySpan<byte> name))
        {
            field = Find(name);
            if (field >= 0 && (seen & (1UL << field)) == 0)
            {
                seen |= 1UL << field;
                return true;
            }

            if (errors.IsFull) errors.Add("");
            else errors.Add(Shown(name), field >= 0 ? "This field is there twice." : $"There is no such field; there are {this}.");
            reader.Skip();
        }

        field = -1;
        return false;
    }

    private static string Shown(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(TextRules.Cut(name, 128));
}
