using Npgsql;

namespace Berth.Server.Tests.Replicas;

/// <summary>A PostgreSQL that tests may stop, crash and start again.</summary>
public sealed class OwnPostgres : IAsyncLifetime
{
    private static readonly Dictionary<string, string> s_quick = new() { ["PG_FSYNC"] = "off" };

    private ToolServer? _server;

    /// <summary>Connection string of a role that may do everything.</summary>
    public string ConnectionString
    {
        get
        {
            _server!.Require();
            return new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = _server.Port, Username = "postgres", Password = "postgres", Database = "postgres" }.ConnectionString;
        }
    }

    public async ValueTask InitializeAsync() => _server = await ToolServer.StartAsync("start-postgres.sh", s_quick);

    /// <summary>Stops it as an operator does: clients are cut off.</summary>
    public Task StopAsync() => _server!.DoAsync("stop");

    /// <summary>Ends it at once, as a power cut does.</summary>
    public Task CrashAsync() => _server!.DoAsync("crash-primary");

    public Task StartAsync() => _server!.StartAgainAsync(s_quick);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}
