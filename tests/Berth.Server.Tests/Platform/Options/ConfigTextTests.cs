using Berth.Server.Platform.Options;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Platform.Options;

public sealed class ConfigTextTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("5m", 300)]
    [InlineData("24h", 86_400)]
    [InlineData("7d", 604_800)]
    [InlineData("1h30m", 5_400)]
    [InlineData("1.5h", 5_400)]
    [InlineData("1h.5m", 3_630)]
    [InlineData("300ms", 0.3)]
    [InlineData("100us", 0.0001)]
    [InlineData("2000000000ns", 2)]
    [InlineData("0", 0)]
    [InlineData("-5s", -5)]
    public void Durations_are_read_with_their_units(string text, double seconds)
    {
        Assert.True(ConfigText.TryDuration(text, out var value));
        Assert.Equal(seconds, value.TotalSeconds, 7);
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("5 m")]
    [InlineData("5x")]
    [InlineData("1..5s")]
    [InlineData("999999999999d")]
    public void Durations_without_a_known_unit_are_refused(string text) => Assert.False(ConfigText.TryDuration(text, out _));

    [Theory]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("4GB", 4_000_000_000)]
    [InlineData("1.5 GiB", 3L << 29)]
    [InlineData("10kb", 10_000)]
    [InlineData("7B", 7)]
    [InlineData("1024", 1024)]
    public void Sizes_are_read_with_their_units(string text, long bytes)
    {
        Assert.True(ConfigText.TrySize(text, out var value));
        Assert.Equal(bytes, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("4G")]
    [InlineData("four GB")]
    [InlineData("99999999TiB")]
    public void Sizes_without_a_known_unit_are_refused(string text) => Assert.False(ConfigText.TrySize(text, out _));

    [Fact]
    public void Every_duration_is_read_as_it_is_written() =>
        Prop.ForAll(Gen.Choose(-2_000_000_000, 2_000_000_000).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds)).ToArbitrary(),
            value => ConfigText.TryDuration(ConfigText.Duration(value), out var read) && read == value).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_size_is_read_as_it_is_written() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).Select(size => (long)size << (size % 12)).ToArbitrary(),
            value => ConfigText.TrySize(ConfigText.Size(value), out var read) && read == value).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_text_is_read_or_refused_without_an_exception() =>
        Prop.ForAll<string>(text => text is null || (ConfigText.TryDuration(text, out _) | ConfigText.TrySize(text, out _) | true)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("htttp", "http")]
    [InlineData("catalogMaxEntires", "catalogMaxEntries")]
    [InlineData("LEVLE", "level")]
    public void The_nearest_key_is_the_one_that_was_meant(string typed, string meant) =>
        Assert.Equal(meant, NearestKey.Find(typed, ["http", "level", "catalogMaxEntries", "catalogDefaultEntries", "log"]));
}
