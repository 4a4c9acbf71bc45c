using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Server.Audit;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Audit;

public sealed class AuditForwardingTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Entries_reach_a_syslog_receiver_in_their_order(DatabaseKind kind)
    {
        using var receiver = new SyslogReceiver();
        await using var app = await AuditApiTests.StartAsync(kind, a => a with { ForwardTo = $"127.0.0.1:{receiver.Port}" });

        for (var i = 0; i < 20; i++) await RaiseAsync(app, $"thing {i}");

        await Eventually.TrueAsync(() => receiver.Things.Count >= 20, "the receiver has all");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"thing {i}"), receiver.Things);
        await Eventually.TrueAsync(async () => await PendingAsync(app) == 0, "the notes are gone");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task What_could_not_be_sent_is_sent_by_the_next_process(DatabaseKind kind)
    {
        var port = SyslogReceiver.FreePort();
        await using var app = await AuditApiTests.StartAsync(kind, a => a with { ForwardTo = $"syslog://127.0.0.1:{port}", ForwardTimeout = TimeSpan.FromMilliseconds(200) });
        for (var i = 0; i < 5; i++) await RaiseAsync(app, $"thing {i}");
        Assert.Equal(5, await PendingAsync(app));

        await app.Registry.RestartAsync();
        using var receiver = new SyslogReceiver(port);

        await Eventually.TrueAsync(() => receiver.Things.Count >= 5, "the receiver has all");
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"thing {i}"), receiver.Things.Distinct());
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task An_http_receiver_gets_json_again_until_it_says_yes(DatabaseKind kind)
    {
        await using var receiver = await HttpReceiver.StartAsync(failures: 2);
        await using var app = await AuditApiTests.StartAsync(kind, a => a with { ForwardAuthorization = "Bearer x" });
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: $$"""{"audit_log_forward_endpoint":"{{receiver.Url}}"}""")).Status);

        await RaiseAsync(app, "thing 1");
        await RaiseAsync(app, "thing 2");

        await Eventually.TrueAsync(() => receiver.Things.Count >= 2, "the receiver has all");
        Assert.Equal(["thing 1", "thing 2"], receiver.Things);
        Assert.Equal("Bearer x", receiver.Authorization);
        Assert.Equal(2, receiver.Refused);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Entries_leave_the_database_once_they_are_sent_when_that_is_wanted(DatabaseKind kind)
    {
        using var receiver = new SyslogReceiver();
        await using var app = await AuditApiTests.StartAsync(kind);
        Assert.Equal(400, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"skip_audit_log_database":true}""")).Status);
        Assert.Equal(200, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: $$"""{"skip_audit_log_database":true,"audit_log_forward_endpoint":"127.0.0.1:{{receiver.Port}}"}""")).Status);

        await RaiseAsync(app, "thing 1");

        await Eventually.TrueAsync(() => receiver.Things.Count == 1, "the receiver has it");
        await Eventually.TrueAsync(async () => (await AuditApiTests.EntriesAsync(app, e => e.ResourceType == "thing")).Count == 0, "the entry is gone");
        Assert.Equal(400, (await app.CallAsync("PUT", "/api/v2.0/configurations", body: """{"audit_log_forward_endpoint":""}""")).Status);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_syslog_receiver_over_tls_is_told_when_its_certificate_is_trusted_and_never_otherwise(DatabaseKind kind)
    {
        using var files = new TestCertificates();
        using var authority = TestCertificates.Authority("audit ca");
        using var stranger = TestCertificates.Authority("somebody else");
        using var certificate = TestCertificates.Issue(authority, "receiver");
        files.Save(authority, "ca.pem", "ca.key");
        files.Save(stranger, "other.pem", "other.key");
        using var receiver = new SyslogReceiver(0, certificate);
        var options = (AuditOptions a) => a with { ForwardTo = $"syslog+tls://127.0.0.1:{receiver.Port}", ForwardCa = files.Path("other.pem") };
        await using (var distrusting = await AuditApiTests.StartAsync(kind, options))
        {
            await RaiseAsync(distrusting, "thing 0");
            await Eventually.TrueAsync(() => receiver.Refused > 0, "the receiver was called");
            Assert.Equal(1, await PendingAsync(distrusting));
        }
        Assert.Empty(receiver.Things);
        await using var app = await AuditApiTests.StartAsync(kind, a => options(a) with { ForwardCa = files.Path("ca.pem") });

        for (var i = 0; i < 5; i++) await RaiseAsync(app, $"thing {i}");

        await Eventually.TrueAsync(() => receiver.Things.Count >= 5, "the receiver has all");
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"thing {i}"), receiver.Things);
        await Eventually.TrueAsync(async () => await PendingAsync(app) == 0, "the notes are gone");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task When_the_sender_is_killed_another_goes_on_after_its_lease_and_loses_nothing(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await using var receiver = await HttpReceiver.StartAsync(failures: 0, silent: 1);
        var time = new ManualTime();
        var options = new AuditOptions { ForwardTo = receiver.Url, ForwardTimeout = TimeSpan.FromSeconds(30), ForwardBatch = 3 };
        AuditForwarding NewSender() => new(database.Current, RuntimeSettings.Constant(new Dictionary<string, string>()), options, time, NullLogger<AuditForwarding>.Instance);
        for (var i = 0; i < 5; i++) await AddAsync(database.Current, $"thing {i}");

        // The receiver has the first batch and says nothing: the first process ends there, without a word in the database.
        await using (var first = NewSender())
        {
            await first.StartAsync(Ct);
            await Eventually.TrueAsync(() => receiver.Heard.Count == 3, "the receiver has heard of the first batch");
        }
        Assert.Equal(5, await PendingAsync(database.Current));
        await using var second = NewSender();
        await second.StartAsync(Ct);
        if (kind == DatabaseKind.Postgres)
        {
            // Another process may still be alive and sending: until its lease has ended nobody else does.
            for (var i = 0; i < 5; i++)
            {
                second.Wake();
                time.Advance(TimeSpan.FromSeconds(10));
                await Task.Delay(50, Ct);
            }
            Assert.Empty(receiver.Things);
        }
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(6));
            return receiver.Things.Count == 5;
        }, "the second process has sent all");

        Assert.Equal(["thing 0", "thing 1", "thing 2"], receiver.Heard.Take(3));
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"thing {i}"), receiver.Things);
        await Eventually.TrueAsync(async () => await PendingAsync(database.Current) == 0, "the notes are gone");
    }

    private static Task<bool> AddAsync(Database database, string thing) => database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        await AuditRows.AddAsync(session, new AuditEntry { Operation = "create", ResourceType = "thing", Resource = thing, Actor = "admin" }, forward: true, ct);
        return true;
    }, Ct);

    private static Task RaiseAsync(PlatformApp app, string thing) => app.Services.GetRequiredService<DomainEvents>().RaiseAsync(AuditApiTests.Event(thing), Ct);

    private static Task<long> PendingAsync(PlatformApp app) => PendingAsync(app.Database);

    private static async Task<long> PendingAsync(Database database) =>
        await database.ReadAsync(0, static async (s, _, ct) => await s.ScalarAsync(CountForwards, [], ct) ?? 0, Ct);

    private static readonly Statement CountForwards = new("SELECT count(*) FROM audit_forwards");

    /// <summary>Takes syslog messages with octet counting; over TLS where it has a certificate.</summary>
    private sealed class SyslogReceiver : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly CancellationTokenSource _stop = new();

        private readonly X509Certificate2? _certificate;
        private int _refused;

        public SyslogReceiver(int port = 0, X509Certificate2? certificate = null)
        {
            _certificate = certificate;
            _listener = new TcpListener(IPAddress.Loopback, port);
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public ConcurrentQueue<string> Things { get; } = [];

        /// <summary>Callers who left without a word: they did not like the certificate.</summary>
        public int Refused => Volatile.Read(ref _refused);

        public static int FreePort()
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            return ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        public void Dispose()
        {
            _stop.Cancel();
            _listener.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _ = ReadAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ReadAsync(TcpClient client)
        {
            using (client)
            {
                var told = 0;
                try
                {
                    Stream stream = client.GetStream();
                    if (_certificate is not null)
                    {
                        var tls = new SslStream(stream);
                        stream = tls;
                        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                    }
                    while (await TakeAsync(stream)) told++;
                }
                catch (Exception e) when (e is AuthenticationException or IOException)
                {
                    // The other side has left, with TLS 1.3 after our half of the handshake.
                }
                if (told == 0) Interlocked.Increment(ref _refused);
            }
        }

        private async Task<bool> TakeAsync(Stream stream)
        {
            var length = 0;
            var one = new byte[1];
            while (await stream.ReadAsync(one, _stop.Token) == 1 && one[0] != ' ') length = length * 10 + (one[0] - '0');
            if (length == 0) return false;
            var message = new byte[length];
            await stream.ReadExactlyAsync(message, _stop.Token);
            var text = Encoding.UTF8.GetString(message);
            if (text.Contains(" resource_type=\"thing\"", StringComparison.Ordinal)) Things.Enqueue(text.Split(" resource=\"")[1].Split('"')[0]);
            return true;
        }
    }

    /// <summary>Takes JSON, after refusing some.</summary>
    private sealed class HttpReceiver : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private int _failures;
        private int _silent;

        private HttpReceiver(WebApplication app, int failures, int silent) => (_app, _failures, _silent) = (app, failures, silent);

        public string Url => _app.Urls.First() + "/in";

        public ConcurrentQueue<string> Things { get; } = [];

        /// <summary>What came in requests that got no answer.</summary>
        public ConcurrentQueue<string> Heard { get; } = [];

        public string? Authorization { get; private set; }

        public int Refused { get; private set; }

        public static async Task<HttpReceiver> StartAsync(int failures, int silent = 0)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var receiver = new HttpReceiver(builder.Build(), failures, silent);
            receiver._app.Run(receiver.TakeAsync);
            await receiver._app.StartAsync();
            return receiver;
        }

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            Authorization = context.Request.Headers.Authorization;
            var entries = (await JsonNode.ParseAsync(context.Request.Body))!.AsArray();
            if (_silent-- > 0)
            {
                foreach (var entry in entries) Heard.Enqueue(entry!["resource"]!.GetValue<string>());
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            if (_failures-- > 0)
            {
                Refused++;
                context.Response.StatusCode = 503;
                return;
            }
            foreach (var entry in entries.Where(e => e!["resource_type"]!.GetValue<string>() == "thing")) Things.Enqueue(entry!["resource"]!.GetValue<string>());
        }
    }
}
