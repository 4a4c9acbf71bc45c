using System.Diagnostics;
using System.Text;

namespace Berth.EndToEnd.Harness;

/// <summary>What a client program answered.</summary>
public sealed record ClientOutput(int ExitCode, string Out, string Error)
{
    /// <summary>Both streams, for messages and for clients that are not strict about which they use.</summary>
    public string All => $"{Out}\n{Error}";

    /// <summary>The lines of the standard output, without blanks.</summary>
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Runs client programs with a home folder, settings and credentials of their own.</summary>
public sealed class ClientShell : IDisposable
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(3);
    private readonly TemporaryFolder folder;
    private readonly Dictionary<string, string> environment;

    public ClientShell(string name)
    {
        folder = new TemporaryFolder(name);
        var home = folder.Folder("home");
        environment = new Dictionary<string, string>
        {
            ["HOME"] = home,
            ["DOCKER_CONFIG"] = folder.Folder("home", ".docker"),
            ["XDG_CONFIG_HOME"] = folder.Folder("home", ".config"),
            ["XDG_CACHE_HOME"] = folder.Folder("home", ".cache"),
            ["XDG_DATA_HOME"] = folder.Folder("home", ".local"),
            ["XDG_RUNTIME_DIR"] = folder.Folder("run"),
            ["REGISTRY_AUTH_FILE"] = Write("home/.docker/config.json", "{}"),
            ["TMPDIR"] = folder.Folder("tmp"),
            ["COSIGN_PASSWORD"] = "",
        };
        ContainerSettings.Write(folder, environment);
    }

    /// <summary>The folder that commands run in; also the place for files that tests make.</summary>
    public TemporaryFolder Folder => folder;

    /// <summary>A line added to failure messages: the log of the registry.</summary>
    public Func<string> Diagnostics { get; set; } = () => "";

    /// <summary>Sets a variable for all later commands.</summary>
    public void Set(string name, string value) => environment[name] = value;

    /// <summary>Takes a variable of the clients' settings away from all later commands.</summary>
    public void Unset(string name) => environment.Remove(name);

    /// <summary>A new file with <paramref name="text"/>, by path inside the folder.</summary>
    public string Write(string path, string text)
    {
        var file = folder.File(path);
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>Runs a command that has to succeed.</summary>
    public async Task<ClientOutput> Run(string program, params string[] arguments)
    {
        var output = await Try(program, arguments);
        Assert.True(output.ExitCode == 0, Describe("failed", program, arguments, output));
        return output;
    }

    /// <summary>Runs a command that the registry has to refuse.</summary>
    public async Task<ClientOutput> MustFail(string program, params string[] arguments)
    {
        var output = await Try(program, arguments);
        Assert.True(output.ExitCode != 0, Describe("succeeded but should not", program, arguments, output));
        return output;
    }

    /// <summary>Runs a command whatever its exit code.</summary>
    public async Task<ClientOutput> Try(string program, params string[] arguments)
    {
        var ct = TestContext.Current.CancellationToken;
        using var process = Process.Start(StartInfo(Programs.Require(program), arguments))!;
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(CommandTimeout);
        var standardOut = new StringBuilder();
        var standardError = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(standardOut, line.Data);
        process.ErrorDataReceived += (_, line) => Append(standardError, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            Assert.Fail(Describe($"did not end in {CommandTimeout}", program, arguments, Collected(process, standardOut, standardError)));
        }

        return Collected(process, standardOut, standardError);
    }

    public void Dispose() => folder.Dispose();

    private ProcessStartInfo StartInfo(string path, string[] arguments)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.FullPath,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static ClientOutput Collected(Process process, StringBuilder standardOut, StringBuilder standardError)
    {
        lock (standardOut)
        {
            lock (standardError)
            {
                return new ClientOutput(process.ExitCode, standardOut.ToString(), standardError.ToString());
            }
        }
    }

    private string Describe(string what, string program, string[] arguments, ClientOutput output) =>
        $"{program} {string.Join(' ', arguments)}\n{what}, exit code {output.ExitCode}\n-- output\n{output.Out}\n-- error\n{output.Error}\n-- registry\n{Diagnostics()}";
}
