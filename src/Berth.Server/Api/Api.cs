using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Api;

/// <summary>
/// The management API: Harbor's under <c>/api/v2.0</c>, ours under <c>/api/berth/v1</c> (mode <c>local</c>). Features list their operations
/// (<see cref="ApiOperations"/>); this maps them all behind one door, <see cref="ApiEndpoint"/>.
/// </summary>
public static class Api
{
    /// <summary>Registers the door. The features register their <see cref="ApiOperations"/>.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services) => services
        .AddSingleton(p => new ApiRights(p.GetRequiredService<RightsCache>(), p.GetRequiredService<Database>()))
        .AddSingleton(p => new ApiEndpoint(
            p.GetRequiredService<ICallerSource>(), p.GetRequiredService<ApiRights>(), p.GetRequiredService<ILogger<ApiEndpoint>>()));

    /// <summary>Registers the operations of a feature.</summary>
    internal static IServiceCollection AddOperations(this IServiceCollection services, Func<IServiceProvider, IEnumerable<ApiOperation>> operations) =>
        services.AddSingleton(p => new ApiOperations([.. operations(p)]));

    /// <summary>Maps all operations.</summary>
    public static IEndpointRouteBuilder MapApi(this IEndpointRouteBuilder endpoints)
    {
        var door = endpoints.ServiceProvider.GetRequiredService<ApiEndpoint>();
        foreach (var operation in endpoints.ServiceProvider.GetServices<ApiOperations>().SelectMany(o => o.All))
            endpoints.MapMethods(operation.Route, [operation.Method], (RequestDelegate)(context => door.HandleAsync(context, operation)));
        return endpoints;
    }
}

/// <summary>The operations of one feature.</summary>
public sealed record ApiOperations(IReadOnlyList<ApiOperation> All);
