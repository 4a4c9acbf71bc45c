using System.Globalization;
using System.Net.Sockets;
using Berth.Server.Platform.Storage;
using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Health;

/// <summary>The checks of a server: database, storage, and those of the settings with Docker Registry's meanings and names.</summary>
internal static class HealthProbes
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);

    /// <summary>A shared or remote store may take long; one that takes longer than this is out of order.</summary>
    private static readonly TimeSpan StorageTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DatabaseTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FileTimeout = TimeSpan.FromSeconds(5);

    /// <summary>All checks in the order of the answer.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="database">Read from.</param>
    /// <param name="stores">All are probed.</param>
    /// <param name="storeKind">Docker Registry's name of the driver, such as <c>filesystem</c>.</param>
    /// <param name="client">Used for <c>health.http</c>.</param>
    public static IReadOnlyList<HealthCheck> All(HealthOptions options, Database database, BlobStores stores, string storeKind, HttpClient client) =>
    [
        new()
        {
            Name = "database",
            DebugName = "database",
            Interval = Or(options.StorageInterval),
            Timeout = DatabaseTimeout,
            Threshold = options.StorageThreshold,
            Probe = ct => ReadAsync(database, ct),
        },
        .. options.StorageEnabled ? [Storage(options, stores, storeKind)] : Array.Empty<HealthCheck>(),
        .. options.Files.Select(File),
        .. options.Http.Select((o, i) => Http(o, i, client)),
        .. options.Tcp.Select(Tcp),
    ];

    private static HealthCheck Storage(HealthOptions options, BlobStores stores, string storeKind) => new()
    {
        Name = "storage",
        DebugName = "storagedriver_" + storeKind,
        Interval = Or(options.StorageInterval),
        Timeout = StorageTimeout,
        Threshold = options.StorageThreshold,
        Probe = async ct =>
        {
            foreach (var name in stores.Names) await stores[name].ProbeAsync(ct).ConfigureAwait(false);
            return null;
        },
    };

    internal static HealthCheck File(FileCheckOptions options, int index) => new()
    {
        Name = $"file[{index}]",
        DebugName = options.File,
        Interval = Or(options.Interval),
        Timeout = FileTimeout,
        Threshold = options.Threshold,
        Probe = _ => ValueTask.FromResult(FileProblem(options.File)),
    };

    internal static HealthCheck Http(HttpCheckOptions options, int index, HttpClient client) => new()
    {
        Name = $"http[{index}]",
        DebugName = options.Uri,
        Interval = Or(options.Interval),
        Timeout = Or(options.Timeout),
        Threshold = options.Threshold,
        Probe = ct => HeadAsync(options, client, ct),
    };

    internal static HealthCheck Tcp(TcpCheckOptions options, int index) => new()
    {
        Name = $"tcp[{index}]",
        DebugName = options.Addr,
        Interval = Or(options.Interval),
        Timeout = Or(options.Timeout),
        Threshold = options.Threshold,
        Probe = ct => ConnectAsync(options.Addr, ct),
    };

    private static TimeSpan Or(TimeSpan configured) => configured > TimeSpan.Zero ? configured : DefaultInterval;

    private static async ValueTask<string?> ReadAsync(Database database, CancellationToken ct)
    {
        // As long as pulls go on from memory, taking this replica out of the balance would take them away too.
        if (database.Outage.IsBelieving) return null;
        await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(Migrations, [], token), ct).ConfigureAwait(false);
        return null;
    }

    /// <summary>Unhealthy while anything is at the path, and when that cannot be told.</summary>
    private static string? FileProblem(string path)
    {
        try
        {
            System.IO.File.GetAttributes(path);
            return "file exists";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async ValueTask<string?> HeadAsync(HttpCheckOptions options, HttpClient client, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, options.Uri);
        foreach (var (name, values) in options.Headers) request.Headers.TryAddWithoutValidation(name, values);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
        var wanted = options.StatusCode == 0 ? 200 : options.StatusCode;
        return (int)answer.StatusCode == wanted ? null : $"{options.Uri}: answered {(int)answer.StatusCode} instead of {wanted}";
    }

    private static async ValueTask<string?> ConnectAsync(string address, CancellationToken ct)
    {
        var colon = address.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return $"{address}: not of the form host:port";
        var host = colon == 0 ? "localhost" : address[..colon].Trim('[', ']');
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host, port, ct).ConfigureAwait(false);
        return null;
    }

    // Reads the file itself on SQLite, which SELECT 1 would not.
    private static readonly Statement Migrations = new("""SELECT COUNT(*) FROM "__EFMigrationsHistory" """);
}
