using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using RaftQueue.Server.Contracts;

namespace RaftQueue.Server.Tests.Contracts;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1970-01-01t00:00:01.5z", 1500)]
    [InlineData("1970-01-01T01:00:00+01:00", 0)]
    [InlineData("1969-12-31T23:30:00-00:45", 900_000)]
    [InlineData("1970-01-01T00:00:00.0019999Z", 1)]
    [InlineData("1970-01-01T00:00:00.12Z", 120)]
    [InlineData("2016-12-31T23:59:60Z", 1_483_228_800_000)]
    [InlineData("1960-01-01T00:00:00Z", 0)]
    [InlineData("9999-12-31T23:59:59.999-23:59", 253402300799999)]
    [InlineData("2024-02-29T12:00:00Z", 1_709_208_000_000)]
    public void TimesAreRead(string text, long unixMs)
    {
        Assert.True(Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out long read));
        Assert.Equal(unixMs, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T00:00:00")]
    [InlineData("2026-01-31 00:00:00Z")]
    [InlineData("2026-13-01T00:00:00Z")]
    [InlineData("2025-02-29T00:00:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T00:60:00Z")]
    [InlineData("2026-01-31T00:00:61Z")]
    [InlineData("2026-01-31T00:00:00.Z")]
    [InlineData("2026-01-31T00:00:00+1:00")]
    [InlineData("2026-01-31T00:00:00+24:00")]
    [InlineData("2026-01-31T00:00:00Zx")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("+026-01-31T00:00:00Z")]
    public void OtherTextIsNoTime(string text) => Assert.False(Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void WhatIsWrittenIsReadBack() => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), number =>
    {
        long unixMs = number * 118_000L;
        byte[] text = new byte[Rfc3339.Length];
        Rfc3339.Format(unixMs, text);
        string expected = DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return Rfc3339.TryParse(text, out long back) && back == unixMs && Encoding.ASCII.GetString(text) == expected;
    }).Check(Config.QuickThrowOnFailure);
}
