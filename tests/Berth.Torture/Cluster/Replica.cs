using System.Net;
using System.Net.Sockets;
using Berth.EndToEnd.Harness;

namespace Berth.Torture.Cluster;

/// <summary>One Berth process of the cluster, with links of its own to database and store.</summary>
public sealed class Replica(int number, string settings, string logFile, int port, LinkProxy database, LinkProxy store) : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(5) };
    private ServerProcess? _process;

    public int Number => number;

    public string Address => $"127.0.0.1:{port}";

    public LinkProxy Database => database;

    public LinkProxy Store => store;

    public string LogFile => logFile;

    public void Start() => _process = ServerProcess.Start([RegistryUnderTest.BerthBinary(), "serve", "--config", settings], logFile, new Dictionary<string, string>
    {
        ["BERTH_ADMIN_PASSWORD"] = RegistryUnderTest.Password,
        ["OTEL_TRACES_EXPORTER"] = "none",
    });

    public Task KillAsync() => _process?.Kill() ?? Task.CompletedTask;

    public Task StopAsync() => _process?.Stop() ?? Task.CompletedTask;

    /// <summary>Waits until it takes writes; one that ended by itself (its database was away when it started) is started again.</summary>
    public async Task ReadyAsync(TimeSpan limit, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(limit);
        try
        {
            while (!await AnswersAsync(patience.Token))
            {
                if (_process is null or { HasExited: true }) Start();
                await Task.Delay(s_pause, TimeProvider.System, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            Assert.Fail($"replica {number} is not ready after {limit.TotalSeconds} s; its log:\n{_process?.LogTail()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is not null) await _process.DisposeAsync();
        await database.DisposeAsync();
        await store.DisposeAsync();
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        try
        {
            using var response = await _http.GetAsync("/health/ready?for=writes", ct);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }
}
