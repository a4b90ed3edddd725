using System.Globalization;
using System.Text;

namespace RaftQueue.Server.Contracts;

/// <summary>
/// What is wrong with a body, each with its JSON pointer (RFC 6901), at most <see cref="RequestLimits.MaxErrors"/>.
/// Keeps the path to where the parser stands without allocating while nothing is wrong. One parser's own.
/// </summary>
public sealed class RequestErrors
{
    private const int MaxPath = 16;
    private readonly (string? Name, int Index)[] _path = new (string?, int)[MaxPath];
    private readonly List<RequestError> _errors = [];
    private int _depth;

    /// <summary>Errors found, those that are not named included.</summary>
    public int Count { get; private set; }

    public bool Any => Count > 0;

    /// <summary>No further error is named: callers may spare themselves the words.</summary>
    public bool IsFull => _errors.Count == RequestLimits.MaxErrors;

    public IReadOnlyList<RequestError> Items => _errors;

    /// <summary>The code of the whole reply when another than <c>invalid_request</c> fits every error.</summary>
    public ProblemCode Code { get; private set; } = ProblemCode.InvalidRequest;

    public void Enter(string name) => _path[_depth++] = (name, 0);

    public void Enter(int index) => _path[_depth++] = (null, index);

    public void Leave() => _depth--;

    /// <summary>Something is wrong with the value the path leads to.</summary>
    public void Add(string detail) => Add(ProblemCode.InvalidRequest, null, detail);

    /// <summary>Something is wrong with a member of the value the path leads to.</summary>
    public void Add(string? member, string detail) => Add(ProblemCode.InvalidRequest, member, detail);

    public void Add(ProblemCode code, string? member, string detail)
    {
        Code = Count == 0 || Code == code ? code : ProblemCode.InvalidRequest;
        Count++;
        if (_errors.Count < RequestLimits.MaxErrors) _errors.Add(new RequestError(Pointer(member), detail));
    }

    /// <summary>An error of which the pointer is known already.</summary>
    public void AddAt(string pointer, string detail)
    {
        Code = Count == 0 ? ProblemCode.InvalidRequest : Code;
        Count++;
        if (_errors.Count < RequestLimits.MaxErrors) _errors.Add(new RequestError(pointer, detail));
    }

    /// <summary>Takes back the error that was added last, of fewer than <see cref="RequestLimits.MaxErrors"/>.</summary>
    public void TakeBack()
    {
        if (Count == _errors.Count) _errors.RemoveAt(Count - 1);
        Count--;
        if (Count == 0) Code = ProblemCode.InvalidRequest;
    }

    public void Clear()
    {
        _errors.Clear();
        _depth = 0;
        Count = 0;
        Code = ProblemCode.InvalidRequest;
    }

    /// <summary>One segment of a pointer, with ~ and / escaped.</summary>
    public static string Escape(string segment) =>
        segment.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private string Pointer(string? member)
    {
        var text = new StringBuilder();
        for (int i = 0; i < _depth; i++)
        {
            text.Append('/');
            if (_path[i].Name is { } name) text.Append(Escape(name));
            else text.Append(_path[i].Index.ToString(CultureInfo.InvariantCulture));
        }

        if (member is not null) text.Append('/').Append(Escape(member));
        return text.ToString();
    }
}
