namespace RaftQueue.Server.Contracts;

/// <summary>What the body of one kind of request is read into. One request's own.</summary>
public abstract class BodyRequest
{
    /// <summary>
    /// Takes the value the reader stands at and leaves what is wrong in <see cref="RequestScratch.Errors"/>. Called once, by
    /// <see cref="BodyParsing.Run"/>.
    /// </summary>
    public abstract void Read(scoped ref ValueReader reader);
}
