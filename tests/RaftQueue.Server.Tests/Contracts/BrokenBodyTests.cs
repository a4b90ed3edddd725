using RaftQueue.Server.Contracts;
using RaftQueue.Server.Tests.Support;

namespace RaftQueue.Server.Tests.Contracts;

public sealed class BrokenBodyTests
{
    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"payload\":")]
    [InlineData("{\"payload\":1")]
    [InlineData("{\"payload\":tru}")]
    [InlineData("{\"payload\":1,}")]
    [InlineData("{\"payload\":01}")]
    [InlineData("{payload:1}")]
    [InlineData("{'payload':1}")]
    [InlineData("{\"payload\":\"\u0001\"}")]
    [InlineData("{} {}")]
    [InlineData("{}x")]
    [InlineData("// a\n{}")]
    [InlineData("{\"payload\":NaN}")]
    public void BrokenJsonIsRefused(string json)
    {
        Problem? problem = Parsing.Enqueue(json, out _);
        Assert.Equal(ProblemCode.InvalidRequest, problem!.Code);
        Assert.Equal("", Assert.Single(problem.Errors).Pointer);
    }

    [Fact]
    public void DeepNestingIsRefusedWherever()
    {
        string Nested(int depth) => $"{{\"payload\":{new string('[', depth)}{new string(']', depth)}}}";
        Assert.Null(Parsing.Enqueue(Nested(RequestLimits.MaxDepth - 1), out _));
        Assert.NotNull(Parsing.Enqueue(Nested(RequestLimits.MaxDepth), out _));
        Assert.NotNull(Parsing.Enqueue(Nested(1_000_000), out _));
        Assert.NotNull(Parsing.Enqueue("{\"unknown\":" + new string('[', 100_000), out _));
    }

    [Theory]
    [InlineData("""{"payload":"\ud800"}""", "/payload")]
    [InlineData("""{"payload":"\udc00"}""", "/payload")]
    [InlineData("""{"payload":"\ud800\ud800"}""", "/payload")]
    [InlineData("""{"payload":"\ud800x"}""", "/payload")]
    [InlineData("""{"payload":"\udc00\ud800"}""", "/payload")]
    [InlineData("""{"payload":{"a":[1,{"\ud800":1}]}}""", "/payload/a/1")]
    [InlineData("""{"type":"\uDFFF"}""", "/type")]
    [InlineData("""{"jobs":[{},{"tags":["a","\uD83D"]}]}""", "/jobs/1/tags/1")]
    public void LoneSurrogatesAreRefusedWherever(string json, string pointer)
    {
        Problem? problem = Parsing.Enqueue(json, out _);
        Assert.Equal(pointer, Assert.Single(problem!.Errors).Pointer);
        Assert.Contains("surrogate", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"payload":"\ud83d\ude00"}""")]
    [InlineData("""{"payload":"\\ud800"}""")]
    [InlineData("""{"payload":"\\\\ud800 \u0041"}""")]
    public void PairsAndWhatOnlyLooksLikeASurrogateAreTaken(string json) => Assert.Null(Parsing.Enqueue(json, out _));

    [Theory]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xc0, 0xaf })]
    [InlineData(new byte[] { 0xe2, 0x82 })]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })]
    [InlineData(new byte[] { 0xf5, 0x80, 0x80, 0x80 })]
    public void InvalidUtf8IsRefusedWherever(byte[] bad)
    {
        foreach ((string before, string pointer) in new[] { ("{\"payload\":\"", "/payload"), ("{\"type\":\"a", "/type") })
        {
            byte[] body = [.. Encoding.UTF8.GetBytes(before), .. bad, .. "\"}"u8];
            Problem? problem = Parsing.Enqueue(body, BodyFormat.Json, out _);
            Assert.Equal(pointer, Assert.Single(problem!.Errors).Pointer);
            Assert.Contains("UTF-8", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ABodyWithAByteOrderMarkIsNoJson() => Assert.NotNull(Parsing.Enqueue("\ufeff{}", out _));
}
