using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Berth.EndToEnd.Harness;
using Berth.Server.Tests.Replicas;
using Npgsql;

namespace Berth.Torture.Cluster;

/// <summary>
/// Three replicas, PostgreSQL, a bucket of the S3 server that <c>BERTH_TEST_S3</c> names, and nginx before the replicas; all on loopback. Each replica reaches database and
/// store over links that can be spoilt.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    public const int Replicas = 3;

    /// <summary>Something that is not ready by then has failed; long, since the machine is loaded.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>The bucket of all runs.</summary>
    public const string Bucket = "berth-torture";
    private readonly TemporaryFolder _folder = new("cluster");
    private readonly List<Replica> _replicas = [];
    private readonly string[] _s3;
    private ServerProcess? _nginx;

    private TestCluster(string[] s3)
    {
        _s3 = s3;
        Store = new AmazonS3Client(new BasicAWSCredentials(s3[1], s3[2]), new AmazonS3Config { ServiceURL = s3[0], ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        NginxAddress = $"127.0.0.1:{RegistryUnderTest.FreePort()}";
    }

    public OwnPostgres Postgres { get; } = new();

    public IReadOnlyList<Replica> All => _replicas;

    /// <summary>The bucket, reached directly.</summary>
    public AmazonS3Client Store { get; }

    /// <summary>What the keys of this run begin with.</summary>
    public string Prefix { get; } = $"run-{RandomNumberGenerator.GetHexString(12, lowercase: true)}/";

    public string NginxAddress { get; }

    /// <summary>Logs of the replicas and of nginx.</summary>
    public string Folder => _folder.FullPath;

    /// <summary>Starts everything.</summary>
    /// <param name="replicas">How many replicas.</param>
    /// <param name="isDirect">Database and store are reached without links that can be spoilt.</param>
    /// <param name="more">Further settings of the replicas (YAML).</param>
    /// <param name="ct">Ends the start.</param>
    public static async Task<TestCluster> StartAsync(int replicas, bool isDirect, string more, CancellationToken ct)
    {
        var s3 = Environment.GetEnvironmentVariable("BERTH_TEST_S3")?.Split(';');
        Assert.SkipWhen(s3 is not { Length: 3 }, "BERTH_TEST_S3 is not set");
        Programs.Require("nginx");
        var cluster = new TestCluster(s3!);
        try
        {
            await cluster.StartAllAsync(replicas, isDirect, more, ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A connection to the database that no fault touches.</summary>
    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(Postgres.ConnectionString);

    /// <summary>Ends the faults of links and waits until all replicas take writes.</summary>
    public async Task HealAsync(CancellationToken ct)
    {
        foreach (var replica in _replicas)
        {
            replica.Database.Set(LinkState.Open);
            replica.Store.Set(LinkState.Open);
        }
        foreach (var replica in _replicas) await replica.ReadyAsync(Patience, ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null) await _nginx.DisposeAsync();
        await Task.WhenAll(_replicas.Select(async r => await r.DisposeAsync()));
        await Postgres.DisposeAsync();
        await RemoveObjectsAsync();
        Store.Dispose();
        _folder.Dispose();
    }

    private async Task StartAllAsync(int replicas, bool isDirect, string more, CancellationToken ct)
    {
        await Postgres.InitializeAsync();
        await Store.PutBucketAsync(Bucket, ct);
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        for (var n = 0; n < replicas; n++) _replicas.Add(await AddAsync(n, key, isDirect, more, ct));
        foreach (var replica in _replicas) replica.Start();
        foreach (var replica in _replicas) await replica.ReadyAsync(Patience, ct);
        await StartNginxAsync(ct);
    }

    private async Task<Replica> AddAsync(int number, string key, bool isDirect, string more, CancellationToken ct)
    {
        var database = new NpgsqlConnectionStringBuilder(Postgres.ConnectionString);
        var (databaseLink, storeLink) = (new LinkProxy(database.Port), new LinkProxy(new Uri(_s3[0]).Port));
        if (!isDirect) database.Port = databaseLink.Port;
        var port = RegistryUnderTest.FreePort();
        var settings = _folder.File($"replica{number}", "berth.yaml");
        await File.WriteAllTextAsync(settings, $$"""
            dataFolder: {{_folder.Folder($"replica{number}", "data")}}
            access: { mode: local, secretKey: "{{key}}" }
            http: { urls: [ "http://127.0.0.1:{{port}}" ] }
            database: { kind: postgres, connectionString: "{{database.ConnectionString}}" }
            storage:
              redirect: { enabled: false }
              s3:
                bucket: {{Bucket}}
                endpoint: "{{(isDirect ? _s3[0] : $"http://127.0.0.1:{storeLink.Port}")}}"
                accessKey: "{{_s3[1]}}"
                secretKey: "{{_s3[2]}}"
                rootDirectory: {{Prefix.TrimEnd('/')}}
                partBytes: 5MiB
                connectTimeout: 2s
                tryTimeout: 3s
                maxTries: 4
                giveUpAfter: 6s
            {{more}}

            """, ct);
        return new Replica(number, settings, _folder.File($"replica{number}", "log"), port, databaseLink, storeLink);
    }

    // As docs/high-availability.md has it; one after the other, so that requests of one upload meet different replicas.
    private async Task StartNginxAsync(CancellationToken ct)
    {
        var folder = _folder.Folder("nginx");
        var settings = _folder.File("nginx", "nginx.conf");
        await File.WriteAllTextAsync(settings, $$"""
            daemon off;
            worker_processes 1;
            pid {{folder}}/nginx.own.pid;
            error_log {{folder}}/error.log warn;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            events { worker_connections 2048; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy; fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
              upstream berth {
                {{string.Join("\n    ", _replicas.Select(r => $"server {r.Address} max_fails=2 fail_timeout=1s;"))}}
                keepalive 32;
              }
              server {
                listen {{NginxAddress}};
                client_max_body_size 0;
                location / {
                  proxy_pass http://berth;
                  proxy_http_version 1.1;
                  proxy_request_buffering off;
                  proxy_buffering off;
                  proxy_set_header Connection "";
                  proxy_set_header Host $http_host;
                  proxy_next_upstream error timeout http_502 http_503;
                  proxy_next_upstream_tries 3;
                  proxy_connect_timeout 2s;
                  proxy_read_timeout 60s;
                  add_header X-Tries $upstream_addr always;
                }
              }
            }
            """, ct);
        _nginx = ServerProcess.Start([Programs.Require("nginx"), "-p", folder, "-c", settings], _folder.File("nginx", "log"));
        using var http = new ClusterHttp(NginxAddress);
        await _nginx.WaitUntil(async token => (await http.GetAsync("/v2/", token)).Status == 200, Patience, "nginx", ct);
    }

    private async Task RemoveObjectsAsync()
    {
        try
        {
            var keys = await StoreCheck.ListObjectsAsync(Store, Bucket, Prefix, CancellationToken.None);
            await Parallel.ForEachAsync(keys.Keys, async (key, ct) => await Store.DeleteObjectAsync(Bucket, key, ct));
        }
        catch (AmazonClientException)
        {
            // The store is a test's own and goes away with it.
        }
    }
}
