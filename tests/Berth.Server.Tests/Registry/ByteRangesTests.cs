using Berth.Server.Registry;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Registry;

/// <summary>The headers' grammar; what comes over HTTP is in <see cref="BlobPullTests"/> and <see cref="UploadTests"/>.</summary>
public sealed class ByteRangesTests
{
    [Theory]
    [InlineData(null, RangeOutcome.Whole)]
    [InlineData("", RangeOutcome.Whole)]
    [InlineData("bytes", RangeOutcome.Whole)]
    [InlineData("bytes=,,", RangeOutcome.Whole)]
    [InlineData("bytes=0-0,x", RangeOutcome.Whole)]
    [InlineData("bytes=0-0", RangeOutcome.Partial)]
    [InlineData("bytes=,0-0,,", RangeOutcome.Partial)]
    [InlineData("bytes=-10", RangeOutcome.Partial)]
    [InlineData("bytes=100-", RangeOutcome.Unsatisfiable)]
    [InlineData("bytes=-0", RangeOutcome.Unsatisfiable)]
    [InlineData("bytes=0-999999999999999999", RangeOutcome.Partial)]
    [InlineData("bytes=0-9999999999999999999999", RangeOutcome.Whole)]
    public void A_header_against_a_hundred_bytes(string? header, RangeOutcome outcome) =>
        Assert.Equal(outcome, ByteRanges.Parse(header, 100, out _));

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-5")]
    [InlineData("bytes=0-0")]
    public void Nothing_can_be_cut_out_of_an_empty_blob(string header) =>
        Assert.Equal(RangeOutcome.Unsatisfiable, ByteRanges.Parse(header, 0, out _));

    [Fact]
    public void Ranges_lie_within_the_content_and_never_add_up_to_more()
    {
        var numbers = Gen.OneOf(Gen.Choose(0, 300).Select(n => n.ToString()), Gen.Elements("", "999999999999999999", "99999999999999999999", "-1", "x"));
        var parts = numbers.SelectMany(first => numbers, (first, last) => $"{first}-{last}");
        var cases = parts.ListOf().Select(p => "bytes=" + string.Join(',', p)).SelectMany(_ => Gen.Choose(0, 250), (header, size) => (Header: header, Size: size));
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var outcome = ByteRanges.Parse(c.Header, c.Size, out var ranges);
            Assert.Equal(outcome == RangeOutcome.Partial, ranges.Count > 0);
            Assert.True(ranges.Count <= ByteRanges.MaxRanges);
            Assert.All(ranges, r => Assert.True(r.First >= 0 && r.First <= r.Last && r.Last < c.Size));
            if (ranges.Count > 1) Assert.True(ranges.Sum(r => r.Length) <= c.Size);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_written_Content_Range_is_read_back()
    {
        Prop.ForAll(Gen.Choose(0, int.MaxValue).SelectMany(_ => Gen.Choose(0, int.MaxValue), (a, b) => (First: (long)Math.Min(a, b), Last: (long)a + b)).ToArbitrary(), c =>
        {
            foreach (var text in new[] { $"{c.First}-{c.Last}", $"bytes {c.First}-{c.Last}/*", $" Bytes {c.First}-{c.Last}/{c.Last + 1} " })
            {
                Assert.True(ByteRanges.TryParseContentRange(text, out var range));
                Assert.Equal(new ByteRange(c.First, c.Last), range);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("0-")]
    [InlineData("-5")]
    [InlineData("5-4")]
    [InlineData("0x1-2")]
    [InlineData("1 - 2")]
    [InlineData("+1-2")]
    [InlineData("bytes 1-2")]
    [InlineData("bytes */5")]
    [InlineData("1-2/5")]
    [InlineData("1-99999999999999999999")]
    public void Anything_else_is_no_Content_Range(string text) => Assert.False(ByteRanges.TryParseContentRange(text, out _));
}
