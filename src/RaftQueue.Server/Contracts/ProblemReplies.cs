namespace RaftQueue.Server.Contracts;

/// <summary>Problems (RFC 9457), written as replies.</summary>
public static class ProblemReplies
{
    private const string TypePrefix = "urn:raftqueue:problem:";

    public static void Write(ReplyWriter reply, Problem problem)
    {
        reply.BeginObject();
        reply.Name(Words.TypeName);
        reply.Value(TypePrefix + problem.Code.Text());
        reply.Name(Words.Title);
        reply.Value(problem.Code.Title());
        reply.Name(Words.Status);
        reply.Value((long)problem.Code.Status());
        reply.Name(Words.Detail);
        reply.Value(problem.Detail);
        reply.Name(Words.Code);
        reply.Value(problem.Code.Text());
        if (problem.RetryAfterMs is { } wait)
        {
            reply.Name(Words.RetryAfterMs);
            reply.Value(wait);
        }

        if (problem.JobId is { } job)
        {
            reply.Name(Words.JobId);
            reply.Value(job);
        }

        if (problem.Errors.Count > 0) WriteErrors(reply, problem.Errors);
        reply.EndObject();
    }

    private static void WriteErrors(ReplyWriter reply, IReadOnlyList<RequestError> errors)
    {
        reply.Name(Words.Errors);
        reply.BeginArray();
        foreach (RequestError error in errors)
        {
            reply.BeginObject();
            reply.Name(Words.Pointer);
            reply.Value(error.Pointer);
            reply.Name(Words.Detail);
            reply.Value(error.Detail);
            if (error.JobId is { } job)
            {
                reply.Name(Words.JobId);
                reply.Value(job);
            }

            reply.EndObject();
        }

        reply.EndArray();
    }
}
