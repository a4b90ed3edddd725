using RaftQueue.Jobs;
using RaftQueue.Jobs.Commands;
using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

/// <summary>Bodies of lease requests, of the verbs on lease tokens and of queue settings.</summary>
public sealed class OtherBodyTests
{
    [Theory]
    [InlineData("{}", "/queues")]
    [InlineData("[]", "")]
    [InlineData("""{"queues":[]}""", "/queues")]
    [InlineData("""{"queues":"a"}""", "/queues")]
    [InlineData("""{"queues":["a","a"]}""", "/queues/1")]
    [InlineData("""{"queues":["a b"]}""", "/queues/0")]
    [InlineData("""{"queues":[""]}""", "/queues/0")]
    [InlineData("""{"queues":["ä"]}""", "/queues/0")]
    [InlineData("""{"queues":[1]}""", "/queues/0")]
    [InlineData("""{"queues":[{"name":"a","weight":2}]}""", "/queues/0")]
    [InlineData("""{"queues":["a"],"maxJobs":0}""", "/maxJobs")]
    [InlineData("""{"queues":["a"],"maxJobs":1001}""", "/maxJobs")]
    [InlineData("""{"queues":["a"],"leaseMs":99}""", "/leaseMs")]
    [InlineData("""{"queues":["a"],"leaseMs":43200001}""", "/leaseMs")]
    [InlineData("""{"queues":["a"],"leaseMs":-1}""", "/leaseMs")]
    [InlineData("""{"queues":["a"],"waitMs":60001}""", "/waitMs")]
    [InlineData("""{"queues":["a"],"waitMs":-1}""", "/waitMs")]
    [InlineData("""{"queues":["a"],"worker":5}""", "/worker")]
    [InlineData("""{"queues":["a"],"pullAheadMs":-1}""", "/pullAheadMs")]
    [InlineData("""{"queues":["a"],"wait":1}""", "/wait")]
    [InlineData("""{"queues":["a"],"waitMs":1,"waitMs":1}""", "/waitMs")]
    public void AWrongLeaseRequestIsNamed(string json, string pointer)
    {
        Problem? problem = Parsing.Lease(Encoding.UTF8.GetBytes(json), BodyFormat.Json);
        Assert.Equal(pointer, Assert.Single(problem!.Errors).Pointer);
    }

    [Theory]
    [InlineData(TokenVerb.Ack, "{}", "/acks")]
    [InlineData(TokenVerb.Ack, """{"acks":[]}""", "/acks")]
    [InlineData(TokenVerb.Ack, """{"acks":{}}""", "/acks")]
    [InlineData(TokenVerb.Ack, """{"acks":["t"]}""", "/acks/0")]
    [InlineData(TokenVerb.Ack, """{"acks":[{}]}""", "/acks/0/token")]
    [InlineData(TokenVerb.Ack, """{"acks":[{"token":1}]}""", "/acks/0/token")]
    [InlineData(TokenVerb.Ack, """{"acks":[{"token":null}]}""", "/acks/0/token")]
    [InlineData(TokenVerb.Ack, """{"acks":[{"token":"t","error":"e"}]}""", "/acks/0/error")]
    [InlineData(TokenVerb.Ack, """{"acks":[{"token":"t","token":"t"}]}""", "/acks/0/token")]
    [InlineData(TokenVerb.Ack, """{"nacks":[{"token":"t"}]}""", "/nacks")]
    [InlineData(TokenVerb.Nack, """{"nacks":[{"token":"t","delayMs":"1"}]}""", "/nacks/0/delayMs")]
    [InlineData(TokenVerb.Nack, """{"nacks":[{"token":"t","dead":1}]}""", "/nacks/0/dead")]
    [InlineData(TokenVerb.Nack, """{"nacks":[{"token":"t","error":{}}]}""", "/nacks/0/error")]
    [InlineData(TokenVerb.Extend, """{"extends":[{"token":"t"}]}""", "/extends/0/leaseMs")]
    [InlineData(TokenVerb.Extend, """{"extends":[{"token":"t","leaseMs":"1"}]}""", "/extends/0/leaseMs")]
    [InlineData(TokenVerb.Release, """{"releases":[{"token":"t","delayMs":true}]}""", "/releases/0/delayMs")]
    [InlineData(TokenVerb.Reschedule, """{"reschedules":[{"token":"t"}]}""", "/reschedules/0/delayMs")]
    [InlineData(TokenVerb.Reschedule, """{"reschedules":[{"token":"t","delayMs":1,"payload":1,"payloadBase64":"YQ=="}]}""", "/reschedules/0/payloadBase64")]
    public void AnItemWithoutSenseRefusesTheRequest(TokenVerb verb, string json, string pointer)
    {
        Problem? problem = Parsing.Tokens(Encoding.UTF8.GetBytes(json), BodyFormat.Json, verb);
        Assert.Contains(pointer, problem!.Errors.Select(error => error.Pointer));
    }

    [Theory]
    [InlineData(TokenVerb.Nack, """{"nacks":[{"token":"t","delayMs":-1},{"token":"u"}]}""")]
    [InlineData(TokenVerb.Extend, """{"extends":[{"token":"t","leaseMs":99},{"token":"u","leaseMs":100}]}""")]
    [InlineData(TokenVerb.Release, """{"releases":[{"token":"t","delayMs":9223372036854775807},{"token":"u"}]}""")]
    [InlineData(TokenVerb.Reschedule, """{"reschedules":[{"token":"t","runAt":"soon"},{"token":"u","delayMs":0}]}""")]
    [InlineData(TokenVerb.Reschedule, """{"reschedules":[{"token":"t","delayMs":1,"priority":10},{"token":"u","delayMs":0}]}""")]
    public void AValueOutOfBoundsRefusesItsOwnTokenOnly(TokenVerb verb, string json)
    {
        using var scratch = new RequestScratch();
        scratch.Body.Write(Encoding.UTF8.GetBytes(json));
        using var request = new TokensRequest(new RequestLimits(), scratch, verb, 1, null);
        Assert.Null(BodyParsing.Run(request, scratch, BodyFormat.Json));
        Assert.Equal(ProblemCode.InvalidRequest, request.Items[0].Refusal!.Code);
        Assert.Null(request.Items[1].Refusal);
    }

    [Fact]
    public void AResultTooLargeRefusesItsOwnTokenOnly()
    {
        using var scratch = new RequestScratch();
        scratch.Body.Write(Encoding.UTF8.GetBytes($"{{\"acks\":[{{\"token\":\"a\",\"result\":\"{new string('x', 1 << 20)}\"}},{{\"token\":\"b\"}}]}}"));
        using var request = new TokensRequest(new RequestLimits(), scratch, TokenVerb.Ack, 1, null);
        Assert.Null(BodyParsing.Run(request, scratch, BodyFormat.Json));
        Assert.Equal(ProblemCode.PayloadTooLarge, request.Items[0].Refusal!.Code);
        Assert.Null(request.Items[1].Refusal);
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("""{"default":{}}""", "/default")]
    [InlineData("""{"defaults":[]}""", "/defaults")]
    [InlineData("""{"defaults":{"payload":1}}""", "/defaults/payload")]
    [InlineData("""{"defaults":{"unique":{"key":"k"}}}""", "/defaults/unique")]
    [InlineData("""{"defaults":{"priority":10}}""", "/defaults/priority")]
    [InlineData("""{"defaults":{"leaseMs":1}}""", "/defaults/leaseMs")]
    [InlineData("""{"defaults":{"retry":{"jitter":"1"}}}""", "/defaults/retry/jitter")]
    [InlineData("""{"defaults":{"tags":[1]}}""", "/defaults/tags/0")]
    [InlineData("""{"defaults":{"group":"g"}}""", "/defaults/group")]
    [InlineData("""{"uniqueBy":"/a"}""", "/uniqueBy")]
    [InlineData("""{"uniqueBy":["a"]}""", "/uniqueBy/0")]
    [InlineData("""{"uniqueBy":["/a","/~2"]}""", "/uniqueBy/1")]
    [InlineData("""{"uniqueBy":[null]}""", "/uniqueBy/0")]
    [InlineData("""{"keepFinished":-1}""", "/keepFinished")]
    [InlineData("""{"keepFinished":1.5}""", "/keepFinished")]
    [InlineData("""{"maxJobs":5}""", "/maxJobs")]
    [InlineData("""{"concurrency":5}""", "/concurrency")]
    [InlineData("""{"rate":{}}""", "/rate")]
    [InlineData("""{"deadLetterQueue":"d"}""", "/deadLetterQueue")]
    public void AWrongSettingIsNamed(string json, string pointer)
    {
        Problem? problem = Parsing.Settings(Encoding.UTF8.GetBytes(json), out _);
        Assert.Equal(pointer, Assert.Single(problem!.Errors).Pointer);
    }

    [Fact]
    public void SettingsCanBeReadByApply()
    {
        const string Json = """
            {"defaults":{"type":"t","priority":3,"delayMs":4,"maxAttempts":5,"retry":{"backoff":"fixed","baseMs":6,"maxMs":7,"jitter":0.5},
             "expireAfterMs":8,"keepMs":9,"keepDeadMs":10,"tags":["a"],"headers":{"h":"v"},"leaseMs":1000},"uniqueBy":["/a","/b~1c",""],"keepFinished":11}
            """;
        Assert.Null(Parsing.Settings(Encoding.UTF8.GetBytes(Json), out RequestScratch scratch));
        Assert.True(PutQueueCommand.TryRead(scratch.Command.WrittenSpan, out PutQueueCommand command));
        Assert.True(QueueSettings.TryParse(command.Settings, out QueueSettings settings));
        Assert.Equal(new RetryPolicy(BackoffKind.Fixed, 6, 7, 500_000), settings.Defaults.Retry);
        Assert.Equal((3, 4L, 5, 1000L), (settings.Defaults.Priority, settings.Defaults.DelayMs, settings.Defaults.MaxAttempts, settings.Defaults.LeaseMs));
        Assert.Equal(["/a", "/b~1c", ""], settings.UniqueBy.Select(Encoding.UTF8.GetString));
        Assert.Equal(11, settings.KeepFinished);
    }
}
