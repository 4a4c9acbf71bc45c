using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Berth.Client;
using Berth.Client.Credentials;

namespace Berth;

/// <summary>The flags of the commands that ask a registry, with Trivy's names.</summary>
internal sealed class RegistryFlags
{
    private const string UserVariable = "TRIVY_USERNAME";
    private const string PasswordVariable = "TRIVY_PASSWORD";
    private const string PlainVariable = "TRIVY_NON_SSL";

    private readonly Option<string?> user = new("--username") { Description = $"Name for the registry; else ${UserVariable}, else what docker login has kept", HelpName = "NAME" };
    private readonly Option<string?> password = new("--password") { Description = $"Password for the registry; others on this machine may see it: better ${PasswordVariable}", HelpName = "SECRET" };
    private readonly Option<string?> token = new("--registry-token") { Description = "Bearer token for the registry", HelpName = "TOKEN" };
    private readonly Option<bool> insecure = new("--insecure") { Description = "Take any certificate, and plain HTTP where there is no TLS" };
    private readonly Option<string?> authority = new("--cacert") { Description = "PEM file with authorities to trust beside the system's", HelpName = "FILE" };

    /// <summary>Adds the flags to a command.</summary>
    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { user, password, token, insecure, authority }) verb.Options.Add(option);
    }

    /// <summary>A client as the flags ask for; null when something is wrong with them, which is added to <paramref name="problems"/>.</summary>
    /// <param name="parsed">The line.</param>
    /// <param name="environment">The process.</param>
    /// <param name="registry">The registry that name and password are for.</param>
    /// <param name="problems">What is wrong.</param>
    public RegistryClient? Open(ParseResult parsed, CommandEnvironment environment, string? registry, List<string> problems)
    {
        var before = problems.Count;
        var variables = environment.Variables;
        var name = parsed.GetValue(user) ?? variables.GetValueOrDefault(UserVariable);
        var secret = parsed.GetValue(password) ?? variables.GetValueOrDefault(PasswordVariable);
        if (string.IsNullOrEmpty(name) != string.IsNullOrEmpty(secret)) problems.Add($"--username and --password (or ${UserVariable} and ${PasswordVariable}) are given together");
        var authorities = ReadAuthorities(parsed.GetValue(authority), problems);
        if (problems.Count > before) return null;
        var options = new RegistryClientOptions
        {
            UserAgent = $"berth/{Commands.Version.Number()}",
            IsInsecure = parsed.GetValue(insecure),
            UsesPlainHttp = variables.GetValueOrDefault(PlainVariable) is "true" or "1",
            Authorities = authorities,
            Variables = variables,
        };
        ICredentialSource credentials = parsed.GetValue(token) is { Length: > 0 } bearer ? new GivenCredential(new RegistryCredential { RegistryToken = bearer }, registry)
            : string.IsNullOrEmpty(name) ? new DockerConfig(variables)
            : new GivenCredential(new RegistryCredential { UserName = name, Password = secret! }, registry);
        return new RegistryClient(options, credentials, TimeProvider.System);
    }

    private static X509Certificate2Collection? ReadAuthorities(string? file, List<string> problems)
    {
        if (file is null) return null;
        var read = new X509Certificate2Collection();
        try
        {
            read.ImportFromPemFile(file);
            if (read.Count == 0) problems.Add($"--cacert: {file} holds no certificate (PEM)");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            problems.Add($"--cacert: {file} cannot be read: {e.Message}");
        }
        return read;
    }
}
