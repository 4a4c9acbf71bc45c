using Berth.Server.Doctor;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Doctor;

/// <summary>The checklist from a client's side.</summary>
public sealed class DoctorVisitTests
{
    private readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_administrator_gets_every_line_and_an_image_goes_there_and_back()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var report = await RunAsync(new DoctorVisitOptions(new Uri(app.Registry.Url)) { User = "admin", Password = PlatformApp.Password, Repository = "library/doctor" });
        Assert.Equal(DoctorChecks.All.Select(check => check.Id), report.Checks.Select(line => line.Id));
        Assert.NotEmpty(report.Version);
        Assert.Equal("pass", Line(report, "access.network").Status);
        Assert.StartsWith("an image was pushed, pulled and deleted in library/doctor", Line(report, "access.clients").Finding, StringComparison.Ordinal);
        Assert.Equal("pass", Line(report, "access.anonymous").Status);
        Assert.Equal(("fail", "anybody may read /metrics and /debug/health"), (Line(report, "monitoring.exposure").Status, Line(report, "monitoring.exposure").Finding));
        Assert.Equal("pass", Line(report, "access.authentication").Status);
        Assert.Equal("""{"repositories":[]}""", (await app.Registry.GetAsync("/v2/_catalog", PlatformApp.As("admin"))).Text.Trim());
    }

    [Fact]
    public async Task Without_credentials_only_what_strangers_see_is_examined()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        var report = await RunAsync(new DoctorVisitOptions(new Uri(app.Registry.Url)));
        Assert.Equal("pass", Line(report, "access.network").Status);
        Assert.Equal("not_configured", Line(report, "access.clients").Status);
        Assert.Contains("only an administrator is told", Line(report, "access.authentication").Finding, StringComparison.Ordinal);
        var wrong = await RunAsync(new DoctorVisitOptions(new Uri(app.Registry.Url)) { User = "admin", Password = "wrong" });
        Assert.Equal("fail", Line(wrong, "access.clients").Status);
        Assert.Contains("answered 401", Line(wrong, "access.authentication").Finding, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_registry_fails_the_round_trip_with_the_reason()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite, o => o with { Registry = o.Registry with { ReadOnly = true } });
        var report = await RunAsync(new DoctorVisitOptions(new Uri(app.Registry.Url)) { User = "admin", Password = PlatformApp.Password, Repository = "library/doctor" });
        Assert.Equal("fail", Line(report, "access.clients").Status);
        Assert.StartsWith("starting an upload answers 405 (the registry is read-only)", Line(report, "access.clients").Finding, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_fails_two_lines_and_none_hangs()
    {
        var report = await RunAsync(new DoctorVisitOptions(new Uri("http://127.0.0.1:1")));
        Assert.Equal(["deployment.service", "access.network"], report.Checks.Where(line => line.Status == "fail").Select(line => line.Id));
    }

    [Fact]
    public async Task Something_else_than_a_registry_is_told_and_a_Prometheus_without_our_rules_too()
    {
        await using var other = await ListeningHost.StartAsync(new() { Urls = ["http://127.0.0.1:0"] }, context => context.Request.Path.StartsWithSegments("/api/v1/rules")
            ? context.Response.WriteAsync("""{"status":"success","data":{"groups":[]}}""")
            : NotFoundAsync(context));
        var address = new Uri(other.Addresses[0]);
        var report = await RunAsync(new DoctorVisitOptions(address) { Prometheus = new Uri(address, "/") });
        Assert.Equal(("fail", "/v2/ answers 404: is it a registry?"), (Line(report, "access.network").Status, Line(report, "access.network").Finding));
        Assert.Equal(("fail", "Prometheus has no rule of Berth's"), (Line(report, "monitoring.alerts").Status, Line(report, "monitoring.alerts").Finding));
    }

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private async Task<DoctorReport> RunAsync(DoctorVisitOptions options)
    {
        using var visit = new DoctorVisit(options, TimeProvider.System);
        return await visit.RunAsync(_ct);
    }

    private static DoctorLine Line(DoctorReport report, string id) => report.Checks.Single(line => line.Id == id);
}
