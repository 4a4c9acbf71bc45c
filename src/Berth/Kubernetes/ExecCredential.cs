using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Kubernetes;

/// <summary>What a kubeconfig says about the program that signs its user in.</summary>
/// <param name="Command">The program: a name that is looked for in PATH, or a path.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Variables">Variables that it gets beside those of this process.</param>
/// <param name="ApiVersion">Which form of question and answer it knows.</param>
/// <param name="Hint">What to do when it is not installed; empty when nothing is said.</param>
/// <param name="Cluster">What it is to be told of the cluster; null for nothing.</param>
internal sealed record ExecProgram(
    string Command, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Variables, string ApiVersion, string Hint, JsonObject? Cluster);

/// <summary>
/// The sign-in by another program as kubectl knows it (client.authentication.k8s.io): the question stands in KUBERNETES_EXEC_INFO, the answer is an ExecCredential on standard output. Nobody is asked
/// anything: the program has no input.
/// </summary>
/// <param name="Token">Bearer token; empty when there is none.</param>
/// <param name="Certificate">Certificate in PEM; empty when there is none.</param>
/// <param name="Key">Its key in PEM.</param>
internal sealed record ExecCredential(string Token, string Certificate, string Key)
{
    /// <summary>The forms that are known here.</summary>
    public static readonly string[] ApiVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

    private const string Question = "KUBERNETES_EXEC_INFO";
    private const string Kind = "ExecCredential";
    private const int MaxAnswerChars = 1024 * 1024;
    private const int MaxComplaintChars = 500;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>Runs the program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="folder">Folder of the kubeconfig, which relative paths begin in.</param>
    /// <param name="variables">Variables of this process.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="IOException">It is not there, fails, does not end, or answers with something else.</exception>
    public static async Task<ExecCredential> AskAsync(ExecProgram program, string folder, IReadOnlyDictionary<string, string> variables, CancellationToken ct)
    {
        var start = new ProcessStartInfo(PathOf(program, folder, variables), program.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment.Clear();
        foreach (var (name, value) in variables.Concat(program.Variables)) start.Environment[name] = value;
        start.Environment[Question] = QuestionOf(program);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        using var process = Start(start);
        try
        {
            process.StandardInput.Close();
            var (output, error) = (ReadAsync(process.StandardOutput, limit.Token), ReadAsync(process.StandardError, limit.Token));
            var (answer, complaint) = (await output, await error);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0) throw new IOException($"{program.Command} failed with exit code {process.ExitCode}{Said(complaint)}");
            return Read(answer, program);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"{program.Command} did not end within {Timeout.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static string PathOf(ExecProgram program, string folder, IReadOnlyDictionary<string, string> variables)
    {
        var found = program.Command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? Path.GetFullPath(program.Command, folder)
            : variables.GetValueOrDefault("PATH", "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(one => Path.Combine(one, program.Command)).FirstOrDefault(File.Exists);
        return found is not null && File.Exists(found) ? found
            : throw new IOException($"{program.Command} is not installed, which the kubeconfig signs in with{(program.Hint.Length > 0 ? ": " + Clean(program.Hint) : "")}");
    }

    private static string QuestionOf(ExecProgram program)
    {
        var specification = new JsonObject { ["interactive"] = false };
        if (program.Cluster is { } cluster) specification["cluster"] = cluster.DeepClone();
        return new JsonObject { ["kind"] = Kind, ["apiVersion"] = program.ApiVersion, ["spec"] = specification }.ToJsonString();
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new IOException($"{start.FileName} cannot be started");
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{start.FileName} cannot be started: {e.Message}", e);
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken ct)
    {
        var buffer = new char[MaxAnswerChars];
        var length = await reader.ReadBlockAsync(buffer, ct);
        return new string(buffer, 0, length);
    }

    private static ExecCredential Read(string answer, ExecProgram program)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            var root = json.RootElement;
            if (Text(root, "kind") != Kind || Text(root, "apiVersion") != program.ApiVersion) throw new IOException($"{program.Command} answered with no {Kind} of {program.ApiVersion}");
            var status = root.TryGetProperty("status", out var member) ? member : default;
            var read = new ExecCredential(Text(status, "token"), Text(status, "clientCertificateData"), Text(status, "clientKeyData"));
            if ((read.Certificate.Length == 0) != (read.Key.Length == 0)) throw new IOException($"{program.Command} answered with a certificate without its key, or a key without its certificate");
            if (read.Token.Length + read.Certificate.Length == 0) throw new IOException($"{program.Command} answered with neither a token nor a certificate");
            return read.Token.Any(char.IsControl) ? throw new IOException($"{program.Command} answered with a token that cannot be sent") : read;
        }
        catch (JsonException e)
        {
            throw new IOException($"{program.Command} answered with something that is no JSON", e);
        }
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Said(string complaint) => Clean(complaint.Trim()) is { Length: > 0 } text ? ": " + (text.Length <= MaxComplaintChars ? text : text[^MaxComplaintChars..]) : "";

    // What it says goes to a terminal.
    private static string Clean(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? ' ' : c));
}
