using Berth.Server.Platform.Health;

namespace Berth.Server.Tests.Platform.Health;

public sealed class HealthReadingTests
{
    [Theory]
    [InlineData(1, "", HealthStatus.Pending)]
    [InlineData(1, "+", HealthStatus.Ok)]
    [InlineData(1, "-", HealthStatus.Failing)]
    [InlineData(0, "-", HealthStatus.Failing)]
    [InlineData(3, "--", HealthStatus.Pending)]
    [InlineData(3, "---", HealthStatus.Failing)]
    [InlineData(3, "+--", HealthStatus.Ok)]
    [InlineData(3, "--+--", HealthStatus.Ok)]
    [InlineData(3, "+---", HealthStatus.Failing)]
    [InlineData(3, "+----", HealthStatus.Failing)]
    [InlineData(3, "---+", HealthStatus.Ok)]
    public void Failures_count_once_the_threshold_is_reached_in_a_row(int threshold, string evaluations, HealthStatus expected)
    {
        var reading = evaluations.Aggregate(HealthReading.None, (r, e) => r.Next(e == '+' ? null : "broken", threshold));
        Assert.Equal(expected, reading.Status);
    }
}
