using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using RaftQueue.Runtime;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Endpoints;

/// <summary>Reads query parameters, each at most once, and refuses those that nobody asked for.</summary>
internal sealed class QueryReading(HttpRequest request)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>What is wrong so far.</summary>
    public RequestErrors Errors { get; } = new();

    public string? Text(string name)
    {
        _known.Add(name);
        if (!request.Query.TryGetValue(name, out StringValues values)) return null;
        if (values.Count == 1) return values[0] ?? "";
        Errors.AddAt($"?{name}", "This parameter is there twice.");
        return null;
    }

    public long? Integer(string name, long min, long max)
    {
        if (Text(name) is not { } text) return null;
        bool isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number);
        if (isNumber && number >= min && number <= max) return number;
        Errors.AddAt($"?{name}", $"Must be an integer from {min} to {max}.");
        return null;
    }

    /// <summary><c>?consistency=stale</c> or <c>linearizable</c>, the default.</summary>
    public ReadConsistency Consistency()
    {
        switch (Text("consistency"))
        {
            case null or "linearizable":
                return ReadConsistency.Linearizable;
            case "stale":
                return ReadConsistency.Stale;
            default:
                Errors.AddAt("?consistency", "Must be stale or linearizable.");
                return ReadConsistency.Linearizable;
        }
    }

    /// <summary>After the last parameter was read: null when nothing is wrong.</summary>
    public Problem? End()
    {
        foreach (string name in request.Query.Keys)
        {
            if (_known.Contains(name)) continue;
            string may = _known.Count == 0 ? "there are none here" : $"there may be {string.Join(", ", _known)}";
            Errors.AddAt($"?{name}", $"There is no such parameter; {may}.");
        }

        return Errors.Any ? Problem.Invalid(Errors) : null;
    }
}
