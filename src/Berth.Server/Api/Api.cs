using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Api;

/// <summary>
/// The management API: Harbor's under <c>/api/v2.0</c>, ours under <c>/api/berth/v1</c> (mode <c>local</c>). Features list their operations
/// (<see cref="ApiOperations"/>); this maps them all behind one door, <see cref="ApiEndpoint"/>. Its description (<see cref="ApiDocument"/>) and the page to
/// try it (<see cref="ApiExplorer"/>) need nothing.
/// </summary>
public static class Api
{
    /// <summary>Registers the door. The features register their <see cref="ApiOperations"/>.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services) => services
        .AddSingleton(p => new ApiRights(p.GetRequiredService<RightsCache>(), p.GetRequiredService<Database>()))
        .AddSingleton(p => new ApiEndpoint(
            p.GetRequiredService<ICallerSource>(), p.GetRequiredService<ApiRights>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<ILogger<ApiEndpoint>>()))
        .AddSingleton<LiveJobs>()
        .AddOperations(p => ApiDocument.Operations(new ApiDocument(() => p.GetServices<ApiOperations>().SelectMany(o => o.All))));

    /// <summary>Registers the operations of a feature.</summary>
    internal static IServiceCollection AddOperations(this IServiceCollection services, Func<IServiceProvider, IEnumerable<ApiOperation>> operations) =>
        services.AddSingleton(p => new ApiOperations([.. operations(p)]));

    /// <summary>Maps all operations, and the answers for what is none.</summary>
    public static IEndpointRouteBuilder MapApi(this IEndpointRouteBuilder endpoints)
    {
        var door = endpoints.ServiceProvider.GetRequiredService<ApiEndpoint>();
        var operations = endpoints.ServiceProvider.GetServices<ApiOperations>().SelectMany(o => o.All).ToList();
        var heads = operations.Where(o => HttpMethods.IsHead(o.Method)).Select(o => o.Route).ToHashSet(StringComparer.Ordinal);
        foreach (var operation in operations)
        {
            // What can be read can be asked for without its body.
            string[] methods = HttpMethods.IsGet(operation.Method) && !heads.Contains(operation.Route) ? [operation.Method, HttpMethods.Head] : [operation.Method];
            endpoints.MapMethods(operation.Route, methods, (RequestDelegate)(context => door.HandleAsync(context, operation)));
        }
        var fallback = new ApiFallback(operations);
        endpoints.Map("/api/{**rest}", (RequestDelegate)fallback.HandleAsync);
        ApiExplorer.Map(endpoints);
        return endpoints;
    }
}

/// <summary>The operations of one feature.</summary>
public sealed record ApiOperations(IReadOnlyList<ApiOperation> All);
