using System.Net;
using System.Net.Sockets;

namespace Berth.EndToEnd.Harness;

/// <summary>A registry that a test started. It can be killed and started again on the same data and port.</summary>
public sealed class RunningRegistry(RegistryCommand command) : IAsyncDisposable
{
    private ServerProcess? process;

    /// <summary>Host and port, as clients name it before a repository.</summary>
    public string Address { get; } = $"127.0.0.1:{command.Port}";

    /// <summary>Where the registry keeps its data.</summary>
    public string DataFolder => command.DataFolder;

    /// <summary>The registry's protocol, spoken directly.</summary>
    public RegistryHttp Http { get; } = new($"http://127.0.0.1:{command.Port}");

    public string LogTail() => process?.LogTail() ?? "";

    public async Task Start(TimeSpan limit, CancellationToken ct)
    {
        process = ServerProcess.Start(command.Command, command.LogFile, new Dictionary<string, string>
        {
            ["BERTH_ADMIN_PASSWORD"] = RegistryUnderTest.Password,
            ["OTEL_TRACES_EXPORTER"] = "none",
        });
        await process.WaitUntil(Answers, limit, command.Command[0], ct);
    }

    /// <summary>Ends the registry as a crash does.</summary>
    public Task Kill() => process?.Kill() ?? Task.CompletedTask;

    /// <summary>Asks the registry to end, and waits for it.</summary>
    public Task Stop() => process?.Stop() ?? Task.CompletedTask;

    /// <summary>Starts the same program again on the same data.</summary>
    public async Task Restart(CancellationToken ct)
    {
        await Stop();
        await Start(RegistryUnderTest.StartLimit, ct);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (process is not null)
        {
            await process.DisposeAsync();
        }
    }

    private async Task<bool> Answers(CancellationToken ct)
    {
        try
        {
            return await Http.Status("/v2/", ct) is HttpStatusCode.OK or HttpStatusCode.Unauthorized;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            // The bare one comes from a connection that breaks the moment it is made: HttpClient asks it for its other end.
            return false;
        }
    }
}
