using System.Globalization;

namespace Berth.Server.DockerRegistry;

/// <summary>Section <c>http</c>.</summary>
internal static class DockerRegistryHttp
{
    public static void Map(DockerRegistryReader reader)
    {
        MapAddress(reader);
        MapTls(reader);
        reader.Copy("http.host", "http.publicUrl");
        if (reader.Text("http.prefix")?.TrimEnd('/') is { Length: > 0 } prefix)
            reader.Put("http.prefix", prefix, reader.Origin("http.prefix"));
        reader.CopySwitch("http.relativeurls", "http.relativeUrls");
        if (reader.Has("http.draintimeout"))
            reader.Put("http.drainTimeout", reader.Duration("http.draintimeout", TimeSpan.Zero), reader.Origin("http.draintimeout"));
        reader.Copy("http.headers", "http.headers");
        reader.CopySwitch("http.http2.disabled", "http.http2", opposite: true);
        reader.CopySwitch("http.h2c.enabled", "http.h2c");
        MapDebug(reader);
    }

    /// <summary>Go's <c>host:port</c>: an empty host is every interface, a port may be a name.</summary>
    internal static string? ListenAddress(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon < 0)
            return null;
        var (host, port) = (address[..colon], address[(colon + 1)..]);
        if (host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('['))
            return null;
        port = port switch { "http" => "80", "https" => "443", "" => "0", _ => port };
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return null;
        return $"{(host.Length == 0 ? "*" : host)}:{port}";
    }

    private static void MapAddress(DockerRegistryReader reader)
    {
        var address = reader.Text("http.addr") ?? "";
        var origin = reader.Origin("http.addr");
        var hasTls = reader.Text("http.tls.certificate") is { Length: > 0 };
        switch (reader.Text("http.net") ?? "")
        {
            case "unix":
                if (!address.StartsWith('/'))
                    reader.Problems.Add("http.addr", origin, $"\"{address}\" must be the absolute path of a socket when http.net is unix");
                else if (hasTls)
                    reader.Problems.Add("http.tls.certificate", reader.Origin("http.tls.certificate"), "TLS is not offered on a unix socket; remove http.tls or use http.net: tcp");
                else
                    reader.Put("http.urls", $"unix:{address}", origin);
                break;
            case "" or "tcp":
                if (address.Length == 0)
                    reader.Report.Warn("http.addr", origin, "not set; Berth listens on port 5000 of every interface");
                if (ListenAddress(address.Length == 0 ? ":5000" : address) is { } listen)
                    reader.Put("http.urls", $"{(hasTls ? "https" : "http")}://{listen}", origin);
                else
                    reader.Problems.Add("http.addr", origin, $"\"{address}\" must be host:port, such as :5000 or localhost:5000");
                break;
            case var net:
                reader.Problems.Add("http.net", reader.Origin("http.net"), $"\"{net}\" must be tcp or unix");
                break;
        }
    }

    private static void MapTls(DockerRegistryReader reader)
    {
        reader.Copy("http.tls.certificate", "http.tls.certificate");
        reader.Copy("http.tls.key", "http.tls.key");
        reader.Copy("http.tls.clientcas", "http.tls.clientCas");
        var minimum = reader.Text("http.tls.minimumtls") is { Length: > 0 } given ? given : "tls1.2";
        if (minimum is "tls1.0" or "tls1.1")
        {
            reader.Report.Warn("http.tls.minimumtls", reader.Origin("http.tls.minimumtls"), $"{minimum} is broken and not offered; tls1.2 is the lowest");
            minimum = "tls1.2";
        }
        reader.Put("http.tls.minimumVersion", minimum, reader.Origin("http.tls.minimumtls"));
        if (minimum != "tls1.3")
            reader.Copy("http.tls.ciphersuites", "http.tls.cipherSuites");
        else if (reader.Has("http.tls.ciphersuites"))
            reader.Report.Warn("http.tls.ciphersuites", reader.Origin("http.tls.ciphersuites"), "cannot be chosen for TLS 1.3; left out");
        if (reader.Text("http.tls.clientauth") is not { Length: > 0 } mode)
            return;
        var known = mode switch
        {
            "request-client-cert" => "request",
            "require-any-client-cert" => "requireAny",
            "verify-client-cert-if-given" => "verifyIfGiven",
            "require-and-verify-client-cert" => "requireAndVerify",
            _ => null,
        };
        if (known is null)
            reader.Problems.Add("http.tls.clientauth", reader.Origin("http.tls.clientauth"), $"\"{mode}\" must be request-client-cert, require-any-client-cert, verify-client-cert-if-given or require-and-verify-client-cert");
        else
            reader.Put("http.tls.clientAuth", known, reader.Origin("http.tls.clientauth"));
    }

    private static void MapDebug(DockerRegistryReader reader)
    {
        const string enabledKey = "http.debug.prometheus.enabled";
        var enabled = reader.Switch(enabledKey, missing: false);
        var hasListener = false;
        if (reader.Text("http.debug.addr") is { Length: > 0 } address)
        {
            hasListener = true;
            if (ListenAddress(address) is { } listen)
                reader.Put("http.debugAddress", listen, reader.Origin("http.debug.addr"));
            else
                reader.Problems.Add("http.debug.addr", reader.Origin("http.debug.addr"), $"\"{address}\" must be host:port, such as localhost:5001");
        }
        if (enabled && !hasListener)
            reader.Report.Warn(enabledKey, reader.Origin(enabledKey), "has no effect without http.debug.addr, as there");
        // Metrics never appear on the address that clients use unless the operator says so to Berth.
        reader.Put("metrics.enabled", enabled && hasListener, reader.Origin(enabledKey));
        if (reader.Text("http.debug.prometheus.path") is { Length: > 0 })
            reader.Copy("http.debug.prometheus.path", "metrics.path");
    }
}
