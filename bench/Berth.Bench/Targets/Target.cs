using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.Bench.Targets;

/// <summary>A registry under measurement: where it is, how to sign in, and, when the bench owns its process, how to start it.</summary>
internal sealed class Target
{
    private readonly IPEndPoint address;
    private ServerProcess? process;

    internal Target(TargetOptions options, Dictionary<string, object> seeded)
    {
        Seeded = seeded;
        Options = options;
        address = new IPEndPoint(Dns.GetHostAddresses(options.Url.Host, AddressFamily.InterNetwork)[0], options.Url.Port);
        CommonFields = Encoding.ASCII.GetBytes(
            $" HTTP/1.1\r\nHost: {options.Url.Authority}\r\nUser-Agent: berth-bench\r\n{Authorization(options)}");
    }

    internal TargetOptions Options { get; }

    /// <summary>The same server for whoever puts the data sets there.</summary>
    internal Target Writer => Options.SeedLogin.Length > 0 ? new Target(Options with { Login = Options.SeedLogin, SeedLogin = "", Bearer = "" }, Seeded) : this;

    /// <summary>The program that stands for a registry; null for a registry.</summary>
    internal DirectProgram? Direct { get; private set; }

    internal string Name => Options.Name;

    /// <summary>The end of the request line and the fields that every request to this target carries.</summary>
    internal byte[] CommonFields { get; }

    /// <summary>What was put into this registry by name of the data set, so that each is seeded once; shared by all who call one server.</summary>
    internal Dictionary<string, object> Seeded { get; }

    /// <summary>The server's process id, or null when it is not known.</summary>
    internal int? ProcessId => process?.Id ?? Direct?.ProcessId ?? Options.ProcessId;

    internal bool CanRestart => Options.StartCommand.Length > 0;

    /// <summary>A connected blocking socket without Nagle's delay.</summary>
    internal Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = Limits.AnswerMilliseconds,
        };
        try
        {
            socket.Connect(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Starts the program that stands for a registry, if there is one.</summary>
    internal void StartDirect()
    {
        if (Options.DirectCommand.Length > 0) Direct = new DirectProgram(Options.DirectCommand);
    }

    /// <summary>Starts the server's process and returns the time until it answered 200 on <c>/v2/</c>.</summary>
    internal TimeSpan Start()
    {
        process = new ServerProcess(Options.StartCommand);
        return process.AwaitReady(this);
    }

    internal void Stop()
    {
        Direct?.Dispose();
        Direct = null;
        process?.Stop();
        process = null;
    }

    /// <summary>Stops the server, empties its data folder and starts it again. Only for a target with a start command and a data folder.</summary>
    internal void Reset()
    {
        Stop();
        foreach (var folder in Directory.EnumerateDirectories(Options.DataFolder)) Directory.Delete(folder, recursive: true);
        foreach (var file in Directory.EnumerateFiles(Options.DataFolder)) File.Delete(file);
        Seeded.Clear();
        Start();
    }

    /// <summary>A <c>Location</c> as a path on this server: absolute addresses lose scheme and host.</summary>
    internal static string PathOf(string location)
    {
        var scheme = location.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0) return location;
        var path = location.IndexOf('/', scheme + 3);
        return path < 0 ? "/" : location[path..];
    }

    private static string Authorization(TargetOptions options)
    {
        if (options.Bearer.Length > 0) return $"Authorization: Bearer {options.Bearer}\r\n";
        if (options.Login.Length > 0) return $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(options.Login))}\r\n";
        return "";
    }
}
