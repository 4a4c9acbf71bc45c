using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Berth.Server.Tests;

/// <summary>
/// A real server that a script of <c>tests/tools</c> starts in a folder of its own. Where it cannot be started the test is skipped with the
/// script's words; in CI it fails.
/// </summary>
public sealed class ToolServer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private readonly string _script;
    private readonly string _folder;
    private readonly string? _failure;
    private readonly Dictionary<string, string> _settings = [];

    private ToolServer(string script, string folder, string? failure) => (_script, _folder, _failure) = (script, folder, failure);

    /// <summary>Port that it was started with.</summary>
    public int Port { get; private init; }

    /// <summary>A setting that the script has printed.</summary>
    public string this[string key]
    {
        get
        {
            Require();
            return _settings[key];
        }
    }

    /// <summary>Ends the test when the server is not there.</summary>
    public void Require()
    {
        if (_failure is null) return;
        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 }) Assert.Fail(_failure);
        Assert.Skip(_failure);
    }

    /// <summary>Starts a server on a free port and the one after it.</summary>
    public static Task<ToolServer> StartAsync(string script, IReadOnlyDictionary<string, string>? environment = null) =>
        StartAsync(script, environment, ScriptFolder());

    /// <summary>Runs the script with another word than <c>start</c>: <c>stop</c>, <c>crash-primary</c>.</summary>
    public async Task DoAsync(string action)
    {
        Require();
        var (code, _, error) = await RunAsync(_script, [action, _folder], null);
        Assert.True(code == 0, $"{action}: {error}");
    }

    /// <summary>Starts the server again on the same port, after <c>stop</c> or <c>crash-primary</c>.</summary>
    public async Task StartAgainAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        var (code, _, error) = await RunAsync(_script, ["start", _folder, Port.ToString(System.Globalization.CultureInfo.InvariantCulture)], environment);
        Assert.True(code == 0, $"start again: {error}");
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync(_script, ["stop", _folder], null);
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<ToolServer> StartAsync(string script, IReadOnlyDictionary<string, string>? environment, string scripts)
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var path = Path.Combine(scripts, script);
        var port = FreePort();
        var (code, output, error) = await RunAsync(path, ["start", folder, port.ToString(System.Globalization.CultureInfo.InvariantCulture)], environment);
        var failure = code == 0 ? null : $"{script} does not start: {error.Trim().Split('\n').LastOrDefault()}";
        var server = new ToolServer(path, folder, failure) { Port = port };
        foreach (var line in output.Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) server._settings[line[..equals]] = line[(equals + 1)..];
        }
        return server;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string path, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        // Through files: a server that the script leaves behind would hold a pipe open.
        var files = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var (output, error) = (Path.Combine(files, "out"), Path.Combine(files, "err"));
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };
        foreach (var argument in (string[])["-c", "out=$1; err=$2; shift 2; exec bash \"$@\" </dev/null >\"$out\" 2>\"$err\"", "sh", output, error, path, .. arguments]) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(StartTimeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        await process.WaitForExitAsync(CancellationToken.None);
        var result = (process.ExitCode, await File.ReadAllTextAsync(output), await File.ReadAllTextAsync(error));
        Directory.Delete(files, recursive: true);
        return result;
    }

    private static int FreePort()
    {
        for (var tries = 0; tries < 50; tries++)
        {
            using var first = new TcpListener(IPAddress.Loopback, 0);
            first.Start();
            var port = ((IPEndPoint)first.LocalEndpoint).Port;
            using var second = new TcpListener(IPAddress.Loopback, port + 1);
            try
            {
                second.Start();
                return port;
            }
            catch (SocketException)
            {
                // The port after it is taken: another pair.
            }
        }
        throw new InvalidOperationException("there are no two free ports in a row");
    }

    private static string ScriptFolder([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "..", "tools");
}
