using Berth.Server.Access;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Clair;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.Scanners;

/// <summary>
/// Scanners outside of Berth, entered by administrators (<see cref="ScannersApi"/>) and chosen by projects. A scan of a project whose scanner is one of them is an <see cref="OutsideScanJob"/>: it asks the
/// scanner by the API of its kind (<see cref="HarborAdapter"/>, <see cref="ClairScanner"/>), lets it pull that one repository (<see cref="ScanPasses"/>), waits without keeping a worker, and keeps its report.
/// </summary>
internal static class OutsideScanners
{
    /// <summary>Registers them (mode <c>local</c>), beside <see cref="Scanning"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Settings.</param>
    /// <param name="outgoing">Where requests may go; the settings of scanners add to it.</param>
    /// <param name="http">Where scanners find this registry.</param>
    public static IServiceCollection AddOutsideScanners(this IServiceCollection services, ScannersOptions options, OutgoingOptions outgoing, HttpOptions http) => services
        .AddSingleton(p => new ScannerHttp(new OutgoingGuard(new OutgoingOptions { Allow = [.. outgoing.Allow, .. options.Allow] }), options, p.GetRequiredService<TimeProvider>()))
        .AddSingleton<HarborAdapter>()
        .AddSingleton<OutsideSboms>()
        .AddSingleton<IOutsideScanner>(p => p.GetRequiredService<HarborAdapter>())
        .AddSingleton<IOutsideScanner, ClairScanner>()
        .AddSingleton(p => new ScannerDirectory(p.GetServices<IOutsideScanner>(), p.GetRequiredService<InstallationSecret>(), p.GetRequiredService<TimeProvider>()))
        .AddSingleton<ScanPasses>()
        .AddSingleton<ICredentialSource>(p => p.GetRequiredService<ScanPasses>())
        .AddSingleton(p => new OutsideScanSettings(options, new RegistryAddress(http, options, p.GetRequiredService<IServer>()), p.GetRequiredService<TimeProvider>()))
        .AddSingleton<OutsideScanEnd>()
        .AddSingleton<IJobHandler, OutsideScanJob>();
}
