using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Quotas;

/// <summary>
/// Quotas: what a project uses is counted in the transactions that change it (<see cref="ProjectUsage"/>, <see cref="UsageMove"/>), in unique bytes. The API
/// (<see cref="QuotasApi"/>) needs <c>quota:…</c> of the installation; counting again is for administrators. <see cref="FullProjects"/> refuses early.
/// </summary>
internal static class Quotas
{
    /// <summary>Registers what pushes ask, in every mode.</summary>
    public static IServiceCollection AddQuotas(this IServiceCollection services) => services.AddSingleton(p => new FullProjects(
        p.GetRequiredService<Database>(), p.GetRequiredService<RuntimeSettings>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()));

    /// <summary>Registers the API (mode <c>local</c>).</summary>
    public static IServiceCollection AddQuotasApi(this IServiceCollection services) => services
        .AddSingleton(p => new QuotasApi(p.GetRequiredService<Database>(), p.GetRequiredService<DomainEvents>(), p.GetRequiredService<TimeProvider>()))
        .AddOperations(p => QuotasApi.Operations(p.GetRequiredService<QuotasApi>()));
}
