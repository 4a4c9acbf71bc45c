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

    internal static IEnumerable<ApiOperation> Operations(DoctorApi api) =>
    [
        new(HttpMethods.Get, "/doctor", "examineInstallation", "doctor", ApiNeed.Admin, api.ExamineAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(DoctorReport), Summary = "Holds the operator's checklist against this installation",
        },
    ];

    private async Task<ApiResult> ExamineAsync(ApiCall call, CancellationToken ct)
    {
        var facts = await FactsAsync(ct).ConfigureAwait(false);
        var lines = DoctorChecks.All.Select(check => DoctorLine.Of(check, check.Decide?.Invoke(facts) ?? DoctorChecks.Unseen)).ToList();
        return ApiResult.Ok(DoctorReport.Of(ProcessMetrics.Version, lines), DoctorJson.Default.DoctorReport);
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
        Counts = await database.ReadAsync(time.GetUtcNow(), DoctorCounts.ReadAsync, ct).ConfigureAwait(false),
    };
}
