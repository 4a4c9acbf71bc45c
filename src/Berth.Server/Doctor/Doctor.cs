using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Doctor.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Storage;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Scanning.Updates;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Doctor;

/// <summary>
/// The operator's checklist (<see cref="DoctorChecks"/>), held against the running server: what it knows of itself is answered by
/// <c>GET /api/berth/v1/doctor</c> for administrators, what only a client can see by <see cref="DoctorVisit"/>, which <c>berth doctor</c> makes.
/// </summary>
internal static class Doctor
{
    /// <summary>Registers the feature (mode <c>local</c>).</summary>
    public static IServiceCollection AddDoctor(this IServiceCollection services, DoctorSettings options) => services
        .AddPages(DoctorPages.All)
        .AddOperations(p => DoctorApi.Operations(new DoctorApi(
            options, p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<TimeProvider>(),
            new DoctorInstruments(p.GetRequiredService<HealthMonitor>(), p.GetRequiredService<BlobStores>(), p.GetRequiredService<MetricsPage>(), p.GetRequiredService<RequestMetrics>(), p.GetRequiredService<AccessCounters>(),
                p.GetRequiredService<AdvisoryAge>()))));
}

/// <summary>What an examination reads of the running process.</summary>
internal sealed record DoctorInstruments(HealthMonitor Health, BlobStores Stores, MetricsPage Page, RequestMetrics Requests, AccessCounters Access, AdvisoryAge Advisories);
