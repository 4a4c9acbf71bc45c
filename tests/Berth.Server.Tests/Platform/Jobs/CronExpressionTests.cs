using Berth.Server.Platform.Jobs;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Platform.Jobs;

public sealed class CronExpressionTests
{
    [Theory]
    [InlineData("0 0 0 * * *", "2026-05-04T03:02:01Z", "2026-05-05T00:00:00Z")]
    [InlineData("* * * * * *", "2026-05-04T03:02:01.999Z", "2026-05-04T03:02:02Z")]
    [InlineData("* * * * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z")]
    [InlineData("30 */15 9-17 ? * MON-FRI", "2026-05-08T17:45:30Z", "2026-05-11T09:00:30Z")]
    [InlineData("0 5/20 * * * ?", "2026-05-04T03:25:00Z", "2026-05-04T03:45:00Z")]
    [InlineData("0 0 12 29 FEB *", "2026-05-04T00:00:00Z", "2028-02-29T12:00:00Z")]
    [InlineData("0 0 12 29 2 ?", "2096-03-01T00:00:00Z", "2104-02-29T12:00:00Z")]
    [InlineData("0 0 0 31 * *", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00Z")]
    [InlineData("0 0 0 30 * *", "2027-01-30T00:00:00Z", "2027-03-30T00:00:00Z")]
    [InlineData("0 0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z")]
    [InlineData("0 0 0 L 2 *", "2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("0 0 0 15,L * ?", "2026-04-15T00:00:00Z", "2026-04-30T00:00:00Z")]
    // Both day fields are restricted: either will do.
    [InlineData("0 0 0 13 * FRI", "2026-05-01T00:00:00Z", "2026-05-08T00:00:00Z")]
    [InlineData("0 0 0 13 * FRI", "2026-05-08T00:00:00Z", "2026-05-13T00:00:00Z")]
    // A star with a step restricts as well, as in Harbor's parser; one with the step 1 does not.
    [InlineData("0 0 0 */10 * SUN", "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z")]
    [InlineData("0 0 0 */1 * SUN", "2026-05-04T00:00:00Z", "2026-05-10T00:00:00Z")]
    [InlineData("0 0 0 * JAN,jul *", "2026-02-01T00:00:00Z", "2026-07-01T00:00:00Z")]
    [InlineData("  0  0\t0 1 1 *  ", "2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    [InlineData("@hourly", "2026-05-04T03:02:01Z", "2026-05-04T04:00:00Z")]
    [InlineData("@daily", "2026-05-04T03:02:01Z", "2026-05-05T00:00:00Z")]
    [InlineData("@midnight", "2026-05-04T00:00:00Z", "2026-05-05T00:00:00Z")]
    [InlineData("@weekly", "2026-05-04T03:02:01Z", "2026-05-10T00:00:00Z")]
    [InlineData("@monthly", "2026-05-04T03:02:01Z", "2026-06-01T00:00:00Z")]
    [InlineData("@yearly", "2026-05-04T03:02:01Z", "2027-01-01T00:00:00Z")]
    [InlineData("@annually", "2026-05-04T03:02:01Z", "2027-01-01T00:00:00Z")]
    // The input may have an offset; the answer is in UTC.
    [InlineData("0 0 0 * * *", "2026-05-04T01:00:00+02:00", "2026-05-04T00:00:00Z")]
    public void The_next_time_is_the_first_one_that_is_named(string text, string after, string next)
    {
        Assert.True(CronExpression.TryParse(text, out var cron, out var problem), problem);
        Assert.Equal(DateTimeOffset.Parse(next), cron.NextAfter(DateTimeOffset.Parse(after)));
        Assert.Equal(TimeSpan.Zero, cron.NextAfter(DateTimeOffset.Parse(after))!.Value.Offset);
    }

    [Theory]
    [InlineData("0 0 0 31 2 *")]
    [InlineData("0 0 0 30 FEB ?")]
    public void A_day_that_never_comes_has_no_next_time(string text)
    {
        Assert.True(CronExpression.TryParse(text, out var cron, out _));
        Assert.Null(cron.NextAfter(new DateTimeOffset(2026, 5, 4, 3, 2, 1, TimeSpan.Zero)));
        Assert.Null(cron.NextAfter(DateTimeOffset.MaxValue));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("* * * * *")]
    [InlineData("* * * * * * *")]
    [InlineData("60 * * * * *")]
    [InlineData("* 60 * * * *")]
    [InlineData("* * 24 * * *")]
    [InlineData("* * * 0 * *")]
    [InlineData("* * * 32 * *")]
    [InlineData("* * * * 0 *")]
    [InlineData("* * * * 13 *")]
    [InlineData("* * * * * 7")]
    [InlineData("5-1 * * * * *")]
    [InlineData("*/0 * * * * *")]
    [InlineData("1//2 * * * * *")]
    [InlineData("1/2/3 * * * * *")]
    [InlineData("1-2-3 * * * * *")]
    [InlineData("-1 * * * * *")]
    [InlineData("+1 * * * * *")]
    [InlineData("1, * * * * *")]
    [InlineData("99999999999 * * * * *")]
    [InlineData("*/99999999999 * * * * *")]
    [InlineData("* * * * FOO *")]
    [InlineData("JAN * * * * *")]
    [InlineData("L * * * * *")]
    [InlineData("* * * * * L")]
    [InlineData("@sometimes")]
    [InlineData("@every 5m")]
    [InlineData("TZ=UTC 0 0 0 * * *")]
    public void A_text_that_names_no_times_is_refused_with_a_reason(string? text)
    {
        Assert.False(CronExpression.TryParse(text, out var cron, out var problem));
        Assert.Null(cron);
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_text_that_is_too_long_is_refused()
    {
        Assert.False(CronExpression.TryParse(string.Join(',', Enumerable.Repeat("1", 200)) + " * * * * *", out _, out _));
    }

    [Fact]
    public void The_next_time_is_later_matches_and_nothing_between_matches()
    {
        var seconds = Gen.Choose(0, 86_400 * 800);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Expressions().Zip(seconds).ToArbitrary(), input =>
        {
            var (text, offset) = input;
            Assert.True(CronExpression.TryParse(text, out var cron, out var problem), problem);
            var after = new DateTimeOffset(2027, 6, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(offset);
            var next = cron.NextAfter(after);
            Assert.NotNull(next);
            Assert.True(next > after);
            Assert.True(cron.Matches(next.Value));
            // By brute force: the seconds right after the start, and those right before the answer.
            var between = (long)(next.Value - after).TotalSeconds;
            for (long s = 1; s < Math.Min(between, 5_000); s++) Assert.False(cron.Matches(after.AddSeconds(s)));
            for (var s = Math.Max(1, between - 5_000); s < between; s++) Assert.False(cron.Matches(after.AddSeconds(s)));
        }));
    }

    [Fact]
    public void Any_text_is_parsed_or_refused()
    {
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
        {
            var parsed = CronExpression.TryParse(text, out var cron, out var problem);
            Assert.Equal(parsed, cron is not null);
            Assert.Equal(parsed, problem is null);
        }));
    }

    // Days up to 28, so that every expression has a next time.
    private static Gen<string> Expressions() =>
        from second in Field(0, 59)
        from minute in Field(0, 59)
        from hour in Field(0, 23)
        from day in Gen.OneOf(Field(1, 28), Gen.Constant("L"), Gen.Constant("5,L"))
        from month in Field(1, 12)
        from weekday in Field(0, 6)
        select $"{second} {minute} {hour} {day} {month} {weekday}";

    private static Gen<string> Field(int first, int last) => Gen.OneOf(
        Gen.Elements("*", "?"),
        Gen.Choose(first, last).Select(n => n.ToString()),
        from a in Gen.Choose(first, last) from b in Gen.Choose(a, last) select $"{a}-{b}",
        from a in Gen.Choose(first, last) from step in Gen.Choose(1, last) select $"{a}/{step}",
        from step in Gen.Choose(1, last) select $"*/{step}",
        from a in Gen.Choose(first, last) from b in Gen.Choose(first, last) select $"{a},{b}");
}
