using Berth.Server.Platform.Http;
using Berth.Server.Scanning.Scanners;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Berth.Server.Scanning.Adapters;

/// <summary>Where scanners find this registry: clients' address, or the internal one.</summary>
internal sealed class RegistryAddress(HttpOptions http, ScannersOptions options, IServer server)
{
    /// <summary>The address for a scanner, without a slash at the end.</summary>
    public string For(ScannerRegistration scanner)
    {
        var origin = scanner.UseInternalAddress ? options.InternalUrl : http.PublicUrl;
        // Without a word on it, the scanner stands beside us.
        return (string.IsNullOrEmpty(origin) ? Listening() : origin.TrimEnd('/')) + http.Prefix;
    }

    private string Listening()
    {
        var first = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(static one => one.StartsWith("http", StringComparison.Ordinal)) ?? (http.Urls.Count > 0 ? http.Urls[0] : "");
        return first.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://[::]", "://localhost", StringComparison.Ordinal).Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).TrimEnd('/');
    }
}
