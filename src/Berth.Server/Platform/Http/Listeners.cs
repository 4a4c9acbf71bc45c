using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Sets Kestrel up from <see cref="HttpOptions"/>: addresses, TLS, protocols, limits, the block size of its sockets, and the time a stop waits for running
/// requests. Kestrel cannot choose between HTTP/1.1 and HTTP/2 without TLS; with <see cref="HttpOptions.H2c"/> on,
/// <see cref="ClearTextHttp2"/> does it by the first bytes (prior knowledge only; the Upgrade header, which RFC 9113 has dropped, is not offered).
/// </summary>
public static class Listeners
{
    /// <summary>Most bytes of all headers of a request.</summary>
    public const int MostHeaderBytes = 32 * 1024;

    /// <summary>Most headers of a request.</summary>
    public const int MostHeaders = 100;

    /// <summary>Most bytes of a request line.</summary>
    public const int LongestRequestLineBytes = 8 * 1024;

    /// <summary>How many connections may wait to be accepted.</summary>
    private const int Backlog = 4096;

    /// <summary>A slow start (a client that reads its disk, a proxy that buffers) is not counted against the minimum rate.</summary>
    private static readonly TimeSpan s_rateGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(130);
    private static readonly TimeSpan s_headersWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_handshakeWithin = TimeSpan.FromSeconds(10);

    /// <summary>Registers Kestrel with its sockets and limits. Addresses are bound when the host starts.</summary>
    public static void AddListeners(this IWebHostBuilder host, HttpOptions options)
    {
        host.UseKestrelCore();
        host.UseKestrelHttpsConfiguration();
        // Settings of this program are the only source of addresses: ASPNETCORE_URLS must not add one.
        host.PreferHostingUrls(false);
        host.UseSockets(sockets => sockets.Backlog = Backlog);
        host.ConfigureServices(services =>
        {
            var pool = new LargeBlockMemoryPool();
            services.AddSingleton(pool);
            services.AddSingleton<IMemoryPoolFactory<byte>>(pool);
            services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = options.DrainTimeout);
            services.AddOptions<KestrelServerOptions>().Configure<IServiceProvider>((kestrel, provider) =>
            {
                kestrel.ApplicationServices = provider;
                Configure(kestrel, options, provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<ILoggerFactory>());
            });
        });
    }

    /// <summary>Sets limits and addresses.</summary>
    /// <exception cref="InvalidOperationException">An address, certificate or socket path cannot be used.</exception>
    public static void Configure(KestrelServerOptions kestrel, HttpOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        SetLimits(kestrel, options);
        var addresses = options.Urls.Select(ListenAddress.Parse).ToArray();
        if (addresses.Length == 0) throw new InvalidOperationException("http.urls is empty: name an address to listen on, such as http://localhost:5000");
        var tls = addresses.Any(address => address.IsHttps) ? new TlsFiles(options.Tls, time, loggers.CreateLogger<TlsFiles>()) : null;
        foreach (var address in addresses) Bind(kestrel, address, listen => Speak(listen, options, address.IsHttps ? tls : null));
        if (options.DebugAddress is { Length: > 0 } debug)
        {
            Bind(kestrel, ListenAddress.Parse(debug), listen =>
            {
                DebugListener.MarkConnections(listen);
                listen.Protocols = HttpProtocols.Http1;
            });
        }
    }

    private static void SetLimits(KestrelServerOptions kestrel, HttpOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestHeadersTotalSize = MostHeaderBytes;
        limits.MaxRequestHeaderCount = MostHeaders;
        limits.MaxRequestLineSize = LongestRequestLineBytes;
        // Bodies are bounded where their meaning is known: a manifest by 4 MiB, an upload by the free space.
        limits.MaxRequestBodySize = null;
        limits.KeepAliveTimeout = s_keepAlive;
        limits.RequestHeadersTimeout = s_headersWithin;
        limits.MaxConcurrentConnections = options.MaxConnections;
        var rate = options.MinBodyBytesPerSecond <= 0 ? null : new MinDataRate(options.MinBodyBytesPerSecond, s_rateGrace);
        limits.MinRequestBodyDataRate = rate;
        limits.MinResponseDataRate = rate;
        // Uploads over HTTP/2: a window that a fast network does not run dry (Kestrel's own is 768 KiB for a stream, 1 MiB for a connection).
        limits.Http2.InitialStreamWindowSize = 2 * 1024 * 1024;
        limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;
        limits.Http2.MaxFrameSize = 64 * 1024;
    }

    private static void Speak(ListenOptions listen, HttpOptions options, TlsFiles? tls)
    {
        if (tls is not null)
        {
            listen.Protocols = options.Http2 ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = s_handshakeWithin,
                OnConnection = _ => ValueTask.FromResult(tls.Current),
            });
        }
        else if (options.H2c)
        {
            ClearTextHttp2.Recognise(listen);
        }
        else
        {
            listen.Protocols = HttpProtocols.Http1;
        }
    }

    private static void Bind(KestrelServerOptions kestrel, ListenAddress address, Action<ListenOptions> configure)
    {
        if (address.UnixPath is { } path)
        {
            RemoveStaleSocket(path);
            kestrel.ListenUnixSocket(path, configure);
            return;
        }
        if (address.Host.Length == 0) kestrel.ListenAnyIP(address.Port, configure);
        else if (IPAddress.TryParse(address.Host, out var ip)) kestrel.Listen(ip, address.Port, configure);
        else if (!address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) BindName(kestrel, address, configure);
        // A free port cannot be the same on both loopback addresses.
        else if (address.Port == 0) kestrel.Listen(IPAddress.Loopback, 0, configure);
        else kestrel.ListenLocalhost(address.Port, configure);
    }

    private static void BindName(KestrelServerOptions kestrel, ListenAddress address, Action<ListenOptions> configure)
    {
        try
        {
            foreach (var ip in Dns.GetHostAddresses(address.Host)) kestrel.Listen(ip, address.Port, configure);
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"cannot listen on {address.Host}: the name is not known ({e.Message})", e);
        }
    }

    /// <summary>A socket file stays behind when its process was killed, and then nobody can bind it. One that answers belongs to somebody.</summary>
    private static void RemoveStaleSocket(string path)
    {
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"cannot listen on {path}: it exists and is not a socket that may be replaced ({e.Message})", e);
        }
        throw new InvalidOperationException($"cannot listen on {path}: another process answers there");
    }
}
