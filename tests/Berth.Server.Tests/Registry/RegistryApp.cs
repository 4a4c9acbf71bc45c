using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Berth.Server.Tests.Registry;

/// <summary>
/// The real server on a free port of the loopback address, with a folder and a database of its own: a SQLite file, or a schema of the
/// PostgreSQL server that <c>BERTH_TEST_POSTGRES</c> names. Speaks the protocol's words.
/// </summary>
internal sealed class RegistryApp : IAsyncDisposable
{
    private static int s_started;

    private readonly DatabaseKind _kind;
    private BerthOptions _options;
    private readonly Action<IServiceCollection>? _services;
    private readonly string _schema;
    private readonly bool _isReplica;
    private readonly string? _server;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };
    private WebApplication? _app;

    private RegistryApp(DatabaseKind kind, RegistryOptions rules, Func<BerthOptions, BerthOptions>? more, Action<IServiceCollection>? services, string? server)
    {
        _kind = kind;
        _server = server ?? Server;
        _services = services;
        Folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        _schema = $"registry_{Environment.ProcessId}_{Interlocked.Increment(ref s_started)}";
        var options = new BerthOptions
        {
            DataFolder = Path.Join(Folder, "data"),
            Http = new() { Urls = ["http://127.0.0.1:0"] },
            Storage = new() { MinFreeBytes = 0 },
            Access = new() { Mode = AccessMode.Open },
            Registry = rules,
            Database = kind == DatabaseKind.Sqlite ? new() { MaxReaders = 8 } : new()
            {
                Kind = DatabaseKind.Postgres,
                MaxReaders = 8,
                ConnectionString = new NpgsqlConnectionStringBuilder(_server) { SearchPath = _schema, MaxPoolSize = 16, Timeout = 60 }.ConnectionString,
            },
        };
        _options = more is null ? options : more(options);
    }

    // Another server on the database and the folder of a first one, which cleans up.
    private RegistryApp(RegistryApp first, Func<BerthOptions, BerthOptions>? more, Action<IServiceCollection>? services)
    {
        (_kind, _schema, Folder, _isReplica, _server) = (first._kind, first._schema, first.Folder, true, first._server);
        _services = services ?? first._services;
        _options = more is null ? first._options : more(first._options);
    }

    /// <summary>Folder that holds everything the server writes, in its folder <c>data</c>.</summary>
    public string Folder { get; }

    /// <summary>Settings of the server.</summary>
    public BerthOptions Options => _options;

    /// <summary>Address without a slash at the end.</summary>
    public string Url => _app!.Urls.First();

    public Uri Address => new(Url);

    public IServiceProvider Services => _app!.Services;

    public static string? Server => Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES");

    /// <summary>Skips the test where the database is missing.</summary>
    public static void SkipWithout(DatabaseKind kind) =>
        Assert.SkipWhen(kind == DatabaseKind.Postgres && string.IsNullOrEmpty(Server), "BERTH_TEST_POSTGRES is not set");

    public static async Task<RegistryApp> StartAsync(
        DatabaseKind kind, RegistryOptions? rules = null, Func<BerthOptions, BerthOptions>? more = null, Action<IServiceCollection>? services = null,
        string? server = null, bool start = true)
    {
        if (server is null) SkipWithout(kind);
        var app = new RegistryApp(kind, rules ?? new RegistryOptions(), more, services, server);
        if (start)
        {
            await app.CreateDatabaseAsync();
            await app.RunAsync();
        }
        else if (kind == DatabaseKind.Postgres)
        {
            await app.OnServerAsync($"CREATE SCHEMA {app._schema}");
        }
        return app;
    }

    /// <summary>Starts one more server on the same database and the same folder, as another replica is; dispose it before this one.</summary>
    public async Task<RegistryApp> AddReplicaAsync(Func<BerthOptions, BerthOptions>? more = null, Action<IServiceCollection>? services = null)
    {
        Assert.Equal(DatabaseKind.Postgres, _kind);
        var app = new RegistryApp(this, more, services);
        await app.RunAsync();
        return app;
    }

    /// <summary>Stops the server, as an orderly end of its process does.</summary>
    public Task StopServerAsync() => StopAsync();

    /// <summary>Stops the server and starts another on the same data, with other settings if so asked.</summary>
    public async Task RestartAsync(Func<BerthOptions, BerthOptions>? change = null)
    {
        await StopAsync();
        if (change is not null) _options = change(_options);
        await RunAsync();
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith("http", StringComparison.Ordinal) ? new Uri(path) : new Uri(Url + path)) { Content = body };
        foreach (var (name, value) in headers)
        {
            if (request.Headers.TryAddWithoutValidation(name, value)) continue;
            request.Content ??= new ByteArrayContent([]);
            request.Content.Headers.Remove(name);
            Assert.True(request.Content.Headers.TryAddWithoutValidation(name, value), name);
        }
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return await Answer.ReadAsync(response);
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<Answer> HeadAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Head, path, null, headers);

    public Task<Answer> DeleteAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Delete, path, null, headers);

    public Task<Answer> PostAsync(string path, byte[]? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, new ByteArrayContent(body ?? []), headers);

    public Task<Answer> PatchAsync(string path, byte[] body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Patch, path, new ByteArrayContent(body), headers);

    public Task<Answer> PutAsync(string path, byte[] body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Put, path, new ByteArrayContent(body), headers);

    /// <summary>Pushes a blob in one request.</summary>
    public async Task<Digest> PushBlobAsync(string repository, byte[] content, DigestAlgorithm algorithm = default)
    {
        var digest = Digest.Of(content, algorithm);
        var answer = await PostAsync($"/v2/{repository}/blobs/uploads/?digest={digest}", content);
        Assert.Equal(201, answer.Status);
        return digest;
    }

    /// <summary>Starts an upload; its address.</summary>
    public async Task<string> StartUploadAsync(string repository, params (string Name, string Value)[] headers)
    {
        var answer = await PostAsync($"/v2/{repository}/blobs/uploads/", null, headers);
        Assert.Equal(202, answer.Status);
        return answer.Location;
    }

    public Task<Answer> PutManifestAsync(string repository, string reference, byte[] content, string mediaType = MediaTypes.OciManifest, params (string Name, string Value)[] headers)
    {
        var body = new ByteArrayContent(content);
        if (mediaType.Length > 0) body.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        return SendAsync(HttpMethod.Put, $"/v2/{repository}/manifests/{reference}", body, headers);
    }

    /// <summary>Pushes blobs and manifest of an image.</summary>
    public async Task PushImageAsync(string repository, string reference, TestImage image)
    {
        foreach (var blob in image.Blobs) await PushBlobAsync(repository, blob);
        var answer = await PutManifestAsync(repository, reference, image.Manifest, image.MediaType);
        Assert.Equal(201, answer.Status);
        Assert.Equal(image.Digest.Value, answer.Header("Docker-Content-Digest"));
    }

    /// <summary>Pulls a manifest with the blobs it names and holds each against its digest.</summary>
    public async Task<byte[]> PullAsync(string repository, string reference)
    {
        var manifest = await GetAsync($"/v2/{repository}/manifests/{reference}");
        Assert.Equal(200, manifest.Status);
        Assert.True(ManifestReader.TryRead(manifest.Body, manifest.Header("Content-Type")!, out var document, out var error), error);
        foreach (var descriptor in document.Config is { } config ? document.Layers.Prepend(config) : document.Layers)
        {
            var blob = await GetAsync($"/v2/{repository}/blobs/{descriptor.Digest}");
            Assert.Equal(200, blob.Status);
            Assert.Equal(descriptor.Digest, Digest.Of(blob.Body, descriptor.Digest.Algorithm));
        }
        foreach (var child in document.Manifests) await PullAsync(repository, child.Digest.Value);
        return manifest.Body;
    }

    /// <summary>File of an unfinished upload.</summary>
    public FileInfo UploadFile(string location) => new(Path.Join(Folder, "data/storage/berth/uploads", location[(location.LastIndexOf('/') + 1)..]));

    /// <summary>A request whose body announces more than it sends before the connection is cut.</summary>
    public async Task BreakOffAsync(string method, string path, byte[] sent, long announced, Func<bool>? beforeCut = null)
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port);
        var head = $"{method} {path} HTTP/1.1\r\nHost: {Address.Authority}\r\nContent-Length: {announced}\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(head));
        await socket.SendAsync(sent);
        if (beforeCut is not null) await Eventually.TrueAsync(beforeCut, "the bytes have arrived");
        socket.Shutdown(System.Net.Sockets.SocketShutdown.Both);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await StopAsync();
        if (_isReplica) return;
        if (_kind == DatabaseKind.Postgres)
        {
            await using (var pool = new NpgsqlConnection(_options.Database.ConnectionString)) NpgsqlConnection.ClearPool(pool);
            // A server of the test's own goes with the test, and may be down when the test fails.
            if (_server == Server) await OnServerAsync($"DROP SCHEMA {_schema} CASCADE");
        }
        Directory.Delete(Folder, recursive: true);
    }

    private Task CreateDatabaseAsync() => _kind == DatabaseKind.Postgres
        ? MigratedSchema.CreateSchemaAsync(_options.Database.ConnectionString!)
        : MigratedSchema.CreateFileAsync(BerthStorage.FileOf(_options));

    private async Task RunAsync()
    {
        _app = await BerthServer.BuildAsync(_options, _services, CancellationToken.None);
        await _app.StartAsync();
    }

    private async Task StopAsync()
    {
        if (_app is null) return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    private async Task OnServerAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_server) { Pooling = false }.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
