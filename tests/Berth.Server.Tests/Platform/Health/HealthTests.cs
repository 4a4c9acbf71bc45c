using System.Net;
using System.Net.Sockets;
using Berth.Server.Platform.Health;
using Berth.Server.Tests.Notifications;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Platform.Health;

public sealed class HealthTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_server_whose_database_and_store_work_is_live_and_ready()
    {
        await using var app = await new HealthApp().StartAsync(new HealthOptions());
        Assert.Equal((200, """{"status":"live"}"""), await app.GetAsync("/health/live"));
        await app.UntilAsync("/health/ready", 200);
        Assert.Equal((200, """{"status":"ready","checks":[{"name":"database","status":"ok"},{"name":"storage","status":"ok"}]}"""), await app.GetAsync("/health/ready"));
        Assert.Equal((200, "{}"), await app.GetAsync("/debug/health"));
    }

    [Fact]
    public async Task A_broken_store_makes_it_unready_once_the_threshold_is_reached_and_a_sound_one_ready_again()
    {
        await using var app = await new HealthApp().StartAsync(new HealthOptions { StorageInterval = Interval, StorageThreshold = 2 });
        await app.UntilAsync("/health/ready", 200);
        var probe = Path.Join(app.StoreRoot, "berth/probe");
        File.Delete(probe);
        Directory.CreateDirectory(probe);
        var storage = app.Monitor.Checks.Single(c => c.Name == "storage");
        await Eventually.TrueAsync(() =>
        {
            if (storage.Reading.Failures == 1) return true;
            app.Time.Advance(TimeSpan.FromSeconds(1));
            return false;
        }, "failed once");
        Assert.Equal(HealthStatus.Ok, storage.Reading.Status);
        Assert.True(app.Monitor.IsReady);
        await app.UntilAsync("/health/ready", 503, Interval);
        var (_, ready) = await app.GetAsync("/health/ready");
        Assert.Matches("""^{"status":"unready","checks":\[{"name":"database","status":"ok"},{"name":"storage","status":"failing","failures":\d+}]}$""", ready);
        var (status, debug) = await app.GetAsync("/debug/health");
        Assert.Equal(503, status);
        Assert.StartsWith("""{"storagedriver_filesystem":"storagedriver_filesystem: """, debug);
        Assert.True(app.Monitor.IsFailing);
        Assert.Equal(200, (await app.GetAsync("/health/live")).Status);
        Directory.Delete(probe);
        await app.UntilAsync("/health/ready", 200, Interval);
        Assert.False(app.Monitor.IsFailing);
    }

    [Fact]
    public async Task The_beginning_of_the_shutdown_makes_it_unready()
    {
        await using var app = await new HealthApp().StartAsync(new HealthOptions());
        await app.UntilAsync("/health/ready", 200);
        // The signal alone: in a real shutdown the listener goes on for as long as it drains.
        app.Lifetime.StopApplication();
        var (status, body) = await app.GetAsync("/health/ready");
        Assert.Equal(503, status);
        Assert.StartsWith("""{"status":"draining",""", body);
        Assert.Equal(200, (await app.GetAsync("/health/live")).Status);
        Assert.Equal((200, "{}"), await app.GetAsync("/debug/health"));
    }

    [Fact]
    public async Task A_file_that_exists_makes_it_unready_without_its_name_being_told_to_everyone()
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var file = Path.Join(folder, "down");
        await using var app = await new HealthApp().StartAsync(new HealthOptions { Files = [new FileCheckOptions { File = file, Interval = Interval }] });
        await app.UntilAsync("/health/ready", 200);
        File.WriteAllText(file, "");
        await app.UntilAsync("/health/ready", 503, Interval);
        Assert.Contains("""{"name":"file[0]","status":"failing",""", (await app.GetAsync("/health/ready")).Body);
        Assert.DoesNotContain(folder, (await app.GetAsync("/health/ready")).Body);
        Assert.Equal((503, $$"""{"{{file}}":"file exists"}"""), await app.GetAsync("/debug/health"));
        File.Delete(file);
        await app.UntilAsync("/health/ready", 200, Interval);
        Directory.Delete(folder);
    }

    [Fact]
    public async Task A_path_below_a_file_does_not_exist()
    {
        var file = Path.GetTempFileName();
        Assert.Null(await Evaluate(HealthProbes.File(new FileCheckOptions { File = file + "/below" }, 0)));
        File.Delete(file);
        Assert.Null(await Evaluate(HealthProbes.File(new FileCheckOptions { File = file + "/no/such" }, 0)));
    }

    [Fact]
    public async Task An_address_must_answer_a_head_request_with_the_status()
    {
        await using var peer = await Receiver.StartAsync();
        using var client = new HttpClient();
        var options = new HttpCheckOptions { Uri = peer.Url, Headers = new Dictionary<string, IReadOnlyList<string>> { ["X-Check"] = ["yes"] } };
        Assert.Null(await Evaluate(HealthProbes.Http(options, 0, client)));
        Assert.Equal("HEAD", peer.Requests.Single().Method);
        Assert.Equal("yes", peer.Requests.Single().Headers["X-Check"]);
        peer.Answer = context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        };
        Assert.Equal($"{peer.Url}: answered 404 instead of 200", await Evaluate(HealthProbes.Http(options, 0, client)));
        Assert.Null(await Evaluate(HealthProbes.Http(options with { StatusCode = 404 }, 0, client)));
    }

    [Theory]
    [InlineData("127.0.0.1:{0}")]
    [InlineData("localhost:{0}")]
    [InlineData(":{0}")]
    public async Task A_tcp_address_must_accept_connections(string address)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = new TcpCheckOptions { Addr = string.Format(address, ((IPEndPoint)listener.LocalEndpoint).Port) };
        Assert.Null(await Evaluate(HealthProbes.Tcp(options, 0)));
        listener.Stop();
        await Assert.ThrowsAsync<SocketException>(async () => await Evaluate(HealthProbes.Tcp(options, 0)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData("host:")]
    [InlineData("host:http")]
    [InlineData("host:70000")]
    public async Task A_tcp_address_without_port_is_a_problem(string address) =>
        Assert.Equal($"{address}: not of the form host:port", await Evaluate(HealthProbes.Tcp(new TcpCheckOptions { Addr = address }, 0)));

    [Fact]
    public async Task Every_configured_check_is_part_of_the_answer_and_a_refused_connection_fails()
    {
        await using var peer = await Receiver.StartAsync();
        var refused = $"127.0.0.1:{FreePort()}";
        await using var app = await new HealthApp().StartAsync(new HealthOptions
        {
            Http = [new HttpCheckOptions { Uri = peer.Url }],
            Tcp = [new TcpCheckOptions { Addr = refused, Threshold = 1 }, new TcpCheckOptions { Addr = "unsound", Threshold = 2 }],
        });
        await Eventually.TrueAsync(() => app.Monitor.Checks.All(c => c.Reading != HealthReading.None), "all evaluated");
        var (status, body) = await app.GetAsync("/health/ready");
        Assert.Equal(503, status);
        Assert.EndsWith("""{"name":"http[0]","status":"ok"},{"name":"tcp[0]","status":"failing","failures":1},{"name":"tcp[1]","status":"pending","failures":1}]}""", body);
        Assert.StartsWith($$"""{"{{refused}}":"{{refused}}: """, (await app.GetAsync("/debug/health")).Body);
    }

    [Fact]
    public async Task A_check_that_hangs_delays_no_start_is_not_started_twice_and_counts_as_failed()
    {
        var time = new ManualTime();
        using var release = new ManualResetEventSlim();
        var started = 0;
        var check = new HealthCheck
        {
            Name = "stuck",
            DebugName = "stuck",
            Interval = Interval,
            Timeout = TimeSpan.FromSeconds(5),
            Threshold = 2,
            Probe = _ =>
            {
                Interlocked.Increment(ref started);
                // As a network file system whose server is gone: inside the call, deaf to tokens.
                release.Wait(CancellationToken.None);
                return ValueTask.FromResult<string?>(null);
            },
        };
        using var lifetime = new Lifetime();
        await using var monitor = new HealthMonitor([check], lifetime, time, NullLogger<HealthMonitor>.Instance);
        await monitor.StartAsync(CancellationToken.None);
        Assert.False(monitor.IsReady);
        await AdvanceUntilAsync(time, () => check.Reading.Status == HealthStatus.Failing);
        Assert.Equal("stuck: no answer within 00:00:05", check.Reading.Error);
        Assert.Equal(1, started);
        release.Set();
        await AdvanceUntilAsync(time, () => check.Reading.Status == HealthStatus.Ok);
        Assert.True(monitor.IsReady);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_probe_that_blocks_in_its_cancellation()
    {
        using var release = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var check = new HealthCheck
        {
            Name = "stuck",
            DebugName = "stuck",
            Interval = Interval,
            Timeout = TimeSpan.FromMinutes(5),
            Threshold = 1,
            Probe = async stop =>
            {
                var ended = new TaskCompletionSource();
                // As a database driver that must reach the server to cancel a statement.
                await using var _ = stop.Register(() => release.Wait(CancellationToken.None));
                asked.SetResult();
                await ended.Task.WaitAsync(stop);
                return null;
            },
        };
        using var lifetime = new Lifetime();
        var monitor = new HealthMonitor([check], lifetime, TimeProvider.System, NullLogger<HealthMonitor>.Instance);
        await monitor.StartAsync(CancellationToken.None);
        await asked.Task;
        try
        {
            // The services before it may have taken all the time that the host gives.
            await monitor.StopAsync(new CancellationToken(canceled: true)).WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
            Assert.Equal(HealthStatus.Pending, check.Reading.Status);
        }
        finally
        {
            release.Set();
            await monitor.DisposeAsync();
        }
    }

    private static ValueTask<string?> Evaluate(HealthCheck check) => check.Probe(CancellationToken.None);

    private static Task AdvanceUntilAsync(ManualTime time, Func<bool> condition) =>
        Eventually.TrueAsync(() =>
        {
            if (condition()) return true;
            time.Advance(TimeSpan.FromSeconds(1));
            return false;
        }, "reached");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Lifetime : Microsoft.Extensions.Hosting.IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}
