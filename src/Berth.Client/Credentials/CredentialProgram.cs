using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Berth.Client.Credentials;

/// <summary>Asks Docker's credential programs (<c>docker-credential-NAME get</c>): the registry goes to their standard input, a document with <c>Username</c> and <c>Secret</c> comes back.</summary>
internal static class CredentialProgram
{
    private const int MaxAnswerChars = 1024 * 1024;
    private const string NotFound = "credentials not found";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>The credential; null when the program knows none.</summary>
    /// <exception cref="IOException">The program is not there, fails or does not end.</exception>
    public static async Task<RegistryCredential?> GetAsync(string name, string registry, IReadOnlyDictionary<string, string> variables, CancellationToken ct)
    {
        if (!name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) throw new IOException($"\"{name}\" is no name of a credential program");
        var program = $"docker-credential-{name}";
        var path = variables.GetValueOrDefault("PATH", "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new IOException($"{program} is not installed: the configuration of Docker asks for it");
        var start = new ProcessStartInfo(path, ["get"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment.Clear();
        foreach (var (key, value) in variables) start.Environment[key] = value;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Timeout);
        using var process = Start(start);
        try
        {
            var (output, error) = (ReadAsync(process.StandardOutput, limit.Token), ReadAsync(process.StandardError, limit.Token));
            await WriteAsync(process.StandardInput, registry);
            var (answer, complaint) = (await output, await error);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0) return Read(answer, program);
            // The programs complain on either stream.
            if ((answer + complaint).Contains(NotFound, StringComparison.OrdinalIgnoreCase)) return null;
            throw new IOException($"{program} failed with exit code {process.ExitCode}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"{program} did not end within {Timeout.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
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

    private static async Task WriteAsync(StreamWriter input, string registry)
    {
        try
        {
            await input.WriteLineAsync(registry);
            input.Close();
        }
        catch (IOException)
        {
            // A program that does not read its input may have ended already: its answer counts.
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken ct)
    {
        var buffer = new char[MaxAnswerChars];
        var length = await reader.ReadBlockAsync(buffer, ct);
        return new string(buffer, 0, length);
    }

    private static RegistryCredential? Read(string answer, string program)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            var (user, secret) = (Text(json.RootElement, "Username"), Text(json.RootElement, "Secret"));
            return user.Length + secret.Length > 0 ? new RegistryCredential { UserName = user, Password = secret } : null;
        }
        catch (JsonException e)
        {
            throw new IOException($"{program} answered with something that is no JSON", e);
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
