using System.Globalization;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Doctor;

/// <summary>The checklist from inside, for administrators.</summary>
internal sealed class DoctorApi(DoctorSettings options, Database database, RuntimeSettings settings, TimeProvider time, DoctorInstruments instruments)
{
    private const double Share = 0.99;

    private Examined? _last;

    internal static IEnumerable<ApiOperation> Operations(DoctorApi api) =>
    [
        new(HttpMethods.Get, "/doctor", "examineInstallation", "doctor", ApiNeed.Admin, api.ExamineAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(DoctorReport), Query = ["max_age"],
            Summary = "Holds the operator's checklist against this installation; with max_age, the answer may be that many seconds old",
        },
    ];

    private async Task<ApiResult> ExamineAsync(ApiCall call, CancellationToken ct)
    {
        var age = 0;
        if (call.Query("max_age") is { Length: > 0 } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out age)) return ApiResult.BadRequest("max_age must be a number of seconds");
        if (Volatile.Read(ref _last) is { } last && time.GetElapsedTime(last.At).TotalSeconds < age) return ApiResult.Ok(last.Report, DoctorJson.Default.DoctorReport);
        var at = time.GetTimestamp();
        var facts = await FactsAsync(ct).ConfigureAwait(false);
        var lines = DoctorChecks.All.Select(check => DoctorLine.Of(check, check.Decide?.Invoke(facts) ?? DoctorChecks.Unseen)).ToList();
        var report = DoctorReport.Of(ProcessMetrics.Version, lines);
        Volatile.Write(ref _last, new Examined(report, at));
        return ApiResult.Ok(report, DoctorJson.Default.DoctorReport);
    }

    private async Task<DoctorFacts> FactsAsync(CancellationToken ct) => new()
    {
        Options = options,
        Settings = await settings.ReadAsync(ct).ConfigureAwait(false),
        Health = instruments.Health,
        FreeBytes = instruments.Stores[instruments.Stores.Default].FreeBytes,
        Stores = await Task.WhenAll(instruments.Stores.Names.Order(StringComparer.Ordinal).Select(name => DoctorStore.ReadAsync(name, instruments.Stores[name], time, ct))).ConfigureAwait(false),
        MetricsReadAgo = instruments.Page.ReadAgo,
        Pulls = instruments.Requests.Quantile("manifest", HttpMethods.Get, Share),
        SignInsFailed = instruments.Access.SignInsFailed,
        SignInsThrottled = instruments.Access.SignInsThrottled,
        AdvisoriesAge = instruments.Advisories.Read(),
        AdvisoriesMayBe = instruments.Advisories.WarnAfter,
        Counts = await database.ReadAsync(time.GetUtcNow(), DoctorCounts.ReadAsync, ct).ConfigureAwait(false),
    };

    private sealed record Examined(DoctorReport Report, long At);
}
