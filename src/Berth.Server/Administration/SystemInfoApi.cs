using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>The installation at a glance: what it is, whether it is well, how much room it has.</summary>
internal sealed class SystemInfoApi(RuntimeSettings settings, HealthMonitor health, HttpOptions http, string storageFolder, TimeProvider time)
{
    /// <summary>The version of Harbor whose API this is: clients choose their calls by it.</summary>
    public const string HarborVersion = "v2.15.0";

    internal static IEnumerable<ApiOperation> Operations(SystemInfoApi api) =>
    [
        new(HttpMethods.Get, "/systeminfo", "getSystemInfo", "systeminfo", ApiNeed.Anybody, api.GetAsync) { RunsInMaintenance = true, Answer = typeof(GeneralInfo), Summary = "What the installation is; more for callers who are signed in" },
        new(HttpMethods.Get, "/systeminfo/getcert", "getCert", "systeminfo", ApiNeed.Anybody, static (_, _) => Task.FromResult(ApiResult.NotFound("cert not found: Berth has no certificate authority of its own"))) { Summary = "The root certificate: there is none" },
        new(HttpMethods.Get, "/systeminfo/volumes", "getVolumes", "systeminfo", ApiNeed.System(SystemPermissions.SystemVolumesRead), api.GetVolumesAsync) { Answer = typeof(SystemVolumes), Summary = "Size of the storage and room on it, in bytes" },
        new(HttpMethods.Get, "/health", "getHealth", "health", ApiNeed.Anybody, api.GetHealthAsync) { RunsInMaintenance = true, Answer = typeof(OverallHealthStatus), Summary = "Whether the parts of the installation are well" },
        new(HttpMethods.Get, "/ping", "getPing", "ping", ApiNeed.Anybody, static (_, _) => Task.FromResult(ApiResult.Text("Pong"))) { RunsInMaintenance = true, Summary = "Pong" },
        new(HttpMethods.Get, "/api/version", "getVersion", "version", ApiNeed.Anybody, static (_, _) => Task.FromResult(ApiResult.Ok(new ApiVersion(), AdministrationJson.Default.ApiVersion))) { Surface = ApiSurface.Root, Answer = typeof(ApiVersion), Summary = "Version of Harbor's API" },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        var info = new GeneralInfo
        {
            AuthMode = values.Of(RuntimeSettingTable.AuthMode),
            PrimaryAuthMode = values.Of(RuntimeSettingTable.PrimaryAuthMode),
            SelfRegistration = values.Of(RuntimeSettingTable.SelfRegistration),
            BannerMessage = values.Of(RuntimeSettingTable.BannerMessage),
            OidcProviderName = values.Of(RuntimeSettingTable.AuthMode) == "oidc_auth" ? values.Of(RuntimeSettingTable.OidcName) : "",
        };
        if (!call.Caller.IsAnonymous)
        {
            var origin = http.OriginOf(call.Http.Request);
            info = info with
            {
                CurrentTime = ApiTime.Text(time.GetUtcNow().ToUnixTimeMilliseconds()),
                RegistryUrl = origin[(origin.IndexOf("://", StringComparison.Ordinal) + 3)..],
                ExternalUrl = origin,
                ProjectCreationRestriction = values.Of(RuntimeSettingTable.ProjectCreationRestriction),
                HasCaRoot = false,
                HarborVersion = $"{HarborVersion}-berth-{ProcessMetrics.Version}",
                RegistryStorageProviderName = "filesystem",
                ReadOnly = values.Of(RuntimeSettingTable.ReadOnly),
                NotificationEnable = values.Of(RuntimeSettingTable.NotificationEnable),
            };
        }
        return ApiResult.Ok(info, AdministrationJson.Default.GeneralInfo);
    }

    private Task<ApiResult> GetVolumesAsync(ApiCall call, CancellationToken ct)
    {
        Directory.CreateDirectory(storageFolder);
        var drive = new DriveInfo(Path.GetFullPath(storageFolder));
        return Task.FromResult(ApiResult.Ok(new SystemVolumes { Storage = [new Volume { Total = drive.TotalSize, Free = drive.AvailableFreeSpace }] }, AdministrationJson.Default.SystemVolumes));
    }

    // Harbor's clients look for its components by name; here they are one process, and each check is a component beside it.
    private Task<ApiResult> GetHealthAsync(ApiCall call, CancellationToken ct)
    {
        var components = new List<ComponentHealthStatus> { new() { Name = "core", Status = health.IsDraining ? "unhealthy" : "healthy", Error = health.IsDraining ? "the server is about to stop" : null } };
        components.AddRange(health.Checks.Select(check => new ComponentHealthStatus
        {
            Name = check.Name,
            Status = check.Reading.Status == HealthStatus.Failing ? "unhealthy" : "healthy",
            // What is wrong may name addresses and paths: the debug listener tells it.
            Error = check.Reading.Status == HealthStatus.Failing ? $"{check.Reading.Failures} failures in a row" : null,
        }));
        var isWell = components.TrueForAll(c => c.Status == "healthy");
        return Task.FromResult(ApiResult.Ok(new OverallHealthStatus { Status = isWell ? "healthy" : "unhealthy", Components = components }, AdministrationJson.Default.OverallHealthStatus));
    }
}
