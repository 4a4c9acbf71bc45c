using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.Server.Platform.Data;
using Berth.Torture.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Torture.Crash;

/// <summary>
/// The server is killed (SIGKILL) again and again while clients push, and the receiver of its webhooks is down every other time.
/// BERTH_TORTURE_WEBHOOK_KILLS changes the number of times.
/// </summary>
public sealed class WebhookKillTests
{
    private const int Clients = 4;
    private const string Secret = "between us";
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("BERTH_TORTURE_WEBHOOK_KILLS"), out var kills) ? kills : 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static string? Postgres => Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES");

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task Each_push_is_told_at_least_once_in_order_within_its_repository_and_signed(DatabaseKind kind)
    {
        Assert.SkipWhen(kind == DatabaseKind.Postgres && string.IsNullOrEmpty(Postgres), "BERTH_TEST_POSTGRES is not set");
        var ct = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder("webhook-kill");
        await using var receiver = await SigningReceiver.StartAsync(Secret);
        await using var registry = await StartAsync(folder, kind, ct);
        await CreatePolicyAsync(registry, receiver.Url, ct);
        var pushed = Enumerable.Range(0, Clients).Select(_ => new ConcurrentQueue<string>()).ToArray();
        for (var round = 0; round < Kills; round++)
        {
            receiver.IsDown = round % 2 == 0;
            await PushUntilKilledAsync(registry, pushed, round, ct);
            await registry.Start(TimeSpan.FromSeconds(60), ct);
        }
        receiver.IsDown = false;
        Assert.True(pushed.Sum(p => p.Count) > Kills, "hardly anything was acknowledged: the test proves nothing");
        for (var client = 0; client < Clients; client++)
        {
            var repository = $"library/r{client}";
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(Patience);
            while (pushed[client].Except(receiver.Accepted(repository)).Any()) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
            // A delivery that was taken and not written down comes once more, before anything later.
            var numbers = receiver.Accepted(repository).Select(NumberOf).ToArray();
            Assert.Equal(numbers.Order(), numbers);
        }
        Assert.Empty(receiver.Forged);
        await registry.Stop();
    }

    private static async Task<RunningRegistry> StartAsync(TemporaryFolder folder, DatabaseKind kind, CancellationToken ct)
    {
        var registry = await RegistryUnderTest.StartBerth(folder, EndToEnd.Harness.Access.SignedIn, ct);
        await registry.Stop();
        var more = "outgoing: { allow: [ \"127.0.0.1\" ] }\n";
        if (kind == DatabaseKind.Postgres)
        {
            var schema = $"webhook_kill_{Environment.ProcessId}";
            await using var source = NpgsqlDataSource.Create(Postgres!);
            await using var command = source.CreateCommand($"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
            await command.ExecuteNonQueryAsync(ct);
            more += $"database: {{ kind: postgres, connectionString: \"{new NpgsqlConnectionStringBuilder(Postgres) { SearchPath = schema }.ConnectionString}\" }}\n";
        }
        await File.AppendAllTextAsync(folder.File("registry", "berth.yaml"), more, ct);
        await registry.Start(TimeSpan.FromSeconds(60), ct);
        return registry;
    }

    private static async Task CreatePolicyAsync(RunningRegistry registry, string receiver, CancellationToken ct)
    {
        using var http = NewClient(registry);
        using var created = await http.PostAsJsonAsync("/api/v2.0/projects/library/webhook/policies", new
        {
            name = "kill",
            enabled = true,
            event_types = new[] { "PUSH_ARTIFACT" },
            targets = new[] { new { type = "http", address = receiver, secret = Secret } },
        }, ct);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(ct));
    }

    private static async Task PushUntilKilledAsync(RunningRegistry registry, ConcurrentQueue<string>[] pushed, int round, CancellationToken ct)
    {
        using var http = NewClient(registry);
        var pusher = new Pusher(http);
        using var killed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            for (var n = 0; !killed.IsCancellationRequested; n++)
            {
                try
                {
                    if (await pusher.PushAsync($"library/r{client}", $"{round}-{n}", SmallImage.Random(), chunked: false, killed.Token)) pushed[client].Enqueue($"{round}-{n}");
                }
                catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or IOException)
                {
                    // What the kill looks like from here.
                    return;
                }
            }
        }, ct)).ToArray();
        await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(300, 1500)), TimeProvider.System, ct);
        await registry.Kill();
        await killed.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Empty(pusher.ServerErrors);
    }

    private static HttpClient NewClient(RunningRegistry registry)
    {
        var http = new HttpClient { BaseAddress = new Uri($"http://{registry.Address}"), Timeout = TimeSpan.FromSeconds(30) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryUnderTest.User}:{RegistryUnderTest.Password}")));
        return http;
    }

    private static long NumberOf(string tag) => (long.Parse(tag[..tag.IndexOf('-')]) * 1_000_000) + long.Parse(tag[(tag.IndexOf('-') + 1)..]);

    /// <summary>Takes webhooks, or does not, and checks each signature.</summary>
    private sealed class SigningReceiver(WebApplication app, string secret) : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(string Repository, string Tag)> _accepted = new();

        public bool IsDown { get; set; }

        /// <summary>Requests whose signature was wrong.</summary>
        public ConcurrentQueue<string> Forged { get; } = new();

        public string Url => app.Urls.First() + "/hook";

        /// <summary>Tags that were taken for a repository, in the order of their arrival.</summary>
        public IReadOnlyList<string> Accepted(string repository) => [.. _accepted.Where(a => a.Repository == repository).Select(a => a.Tag)];

        public static async Task<SigningReceiver> StartAsync(string secret)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0").UseShutdownTimeout(TimeSpan.Zero);
            var app = builder.Build();
            var receiver = new SigningReceiver(app, secret);
            app.Run(receiver.TakeAsync);
            await app.StartAsync();
            return receiver;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync(context.RequestAborted);
            var signed = Encoding.UTF8.GetBytes($"{context.Request.Headers["X-Berth-Timestamp"]}.{body}");
            var expected = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));
            if (context.Request.Headers["X-Berth-Signature"] != expected) Forged.Enqueue(body);
            if (IsDown)
            {
                context.Response.StatusCode = 503;
                return;
            }
            var data = JsonDocument.Parse(body).RootElement.GetProperty("event_data");
            _accepted.Enqueue((data.GetProperty("repository").GetProperty("repo_full_name").GetString()!, data.GetProperty("resources")[0].GetProperty("tag").GetString()!));
        }
    }
}
