using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Scanning.Scanners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>
/// Berth as the scanner of other registries: Harbor's pluggable scanner API 1.2 under <c>/scanner/api/v1</c>, for whoever has the key of the settings (<see cref="AdapterCallers"/>). A request is a row and
/// a job (<see cref="AdapterScanJob"/>), which pulls the image from the registry of the request; any replica answers for it (<see cref="AdapterEndpoint"/>). Without <c>scanners.api.enabled</c> there are no
/// such routes.
/// </summary>
internal static class AdapterApi
{
    /// <summary>Where it is; what Harbor is told as the scanner's address is the same without <c>/api/v1</c>.</summary>
    public const string Path = "/scanner/api/v1";

    /// <summary>Registers it (mode <c>local</c>), beside <see cref="Scanning"/>.</summary>
    public static IServiceCollection AddAdapterApi(this IServiceCollection services, ScannerApiOptions options, OutgoingOptions outgoing)
    {
        if (!options.Enabled) return services;
        var guard = new OutgoingGuard(new OutgoingOptions { Allow = [.. outgoing.Allow, .. options.Allow] });
        return services
            .AddSingleton(p => new AdapterCallers(options, p.GetRequiredService<FailedSignIns>(), p.GetRequiredService<TimeProvider>()))
            .AddSingleton(p => new AdapterScans(
                p.GetRequiredService<Database>(), p.GetRequiredService<JobQueue>(), p.GetRequiredService<InstallationSecret>(), options, p.GetRequiredService<TimeProvider>()))
            .AddSingleton(p => new AdapterEndpoint(p.GetRequiredService<AdapterCallers>(), p.GetRequiredService<AdapterScans>(), p.GetRequiredService<AdvisoryStore>(), guard))
            .AddSingleton<IJobHandler>(p => new AdapterScanJob(
                p.GetRequiredService<AdapterScans>(), p.GetRequiredService<LayerInventories>(), p.GetRequiredService<AdvisoryStore>(),
                new RemoteImages(guard, options, p.GetRequiredService<TimeProvider>()), options, p.GetRequiredService<TimeProvider>()));
    }

    /// <summary>Maps it.</summary>
    public static IEndpointRouteBuilder MapAdapterApi(this IEndpointRouteBuilder endpoints, ScannerApiOptions options)
    {
        if (!options.Enabled) return endpoints;
        endpoints.MapGet(Path + "/metadata", (RequestDelegate)(context => Of(context).MetadataAsync(context)));
        endpoints.MapPost(Path + "/scan", (RequestDelegate)(context => Of(context).ScanAsync(context)));
        endpoints.MapGet(Path + "/scan/{id}/report", (RequestDelegate)(context => Of(context).ReportAsync(context)));
        return endpoints;

        static AdapterEndpoint Of(HttpContext context) => context.RequestServices.GetRequiredService<AdapterEndpoint>();
    }
}
