using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Misconfiguration;

/// <summary>Checks the configuration of an image (OCI image specification, config.md) and what its history tells of how it was built.</summary>
public static class ImageConfigurationChecks
{
    private const int MaxNamed = 10;

    private static readonly string[] SecretWords = ["password", "passwd", "secret", "api_key", "apikey", "access_key", "private_key", "token", "credential"];

    /// <summary>The problems in the order of the checks; a configuration that is no JSON object has none. <paramref name="scanner"/> also looks for secrets in the environment.</summary>
    public static IReadOnlyList<ConfigurationProblem> Check(ReadOnlyMemory<byte> configuration, SecretScanner scanner)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(configuration, JsonText.Options);
        }
        catch (JsonException)
        {
            return [];
        }
        using (document)
        {
            var config = document.RootElement.Object("config") ?? default;
            var history = document.RootElement.Items("history").Select(static h => h.Text("created_by")).Where(static c => c.Length > 0).ToList();
            return
            [
                .. User(config), .. HealthCheck(config), .. Ports(config), .. Environment(config, scanner), .. Added(history), .. Commands(history),
            ];
        }
    }

    /// <summary>Programs of the image that run with the rights of their owner or group; at most one problem, which names the first of them.</summary>
    public static IReadOnlyList<ConfigurationProblem> SetUid(IReadOnlyList<string> programs)
    {
        if (programs.Count == 0) return [];
        var more = programs.Count > MaxNamed ? $" and {programs.Count - MaxNamed} more" : "";
        return
        [
            new("BERTH-DS-002", "Programs should not run with the rights of their owner", Severity.Low,
                $"{programs.Count} programs have the setuid or setgid bit: {string.Join(", ", programs.Take(MaxNamed))}{more}", "Remove the bits (chmod a-s), or run with no-new-privileges."),
        ];
    }

    private static IEnumerable<ConfigurationProblem> User(JsonElement config)
    {
        var user = config.Text("User").Split(':')[0].Trim();
        if (user is "" or "0" or "root")
        {
            yield return new("DS002", "The user should not be root", Severity.High, user.Length == 0 ? "no user is set, so the container runs as root" : $"the user is '{user}'",
                "Add a USER with a name or number that is not root.");
        }
    }

    private static IEnumerable<ConfigurationProblem> HealthCheck(JsonElement config)
    {
        if (config.Object("Healthcheck") is not { } check || check.Texts("Test") is [] or ["NONE"])
            yield return new("DS026", "There should be a health check", Severity.Low, "no health check is set", "Add a HEALTHCHECK.");
    }

    private static IEnumerable<ConfigurationProblem> Ports(JsonElement config)
    {
        if (config.Properties("ExposedPorts").Any(static p => p.Name is "22" or "22/tcp"))
            yield return new("DS004", "Port 22 should not be exposed", Severity.Medium, "port 22 is exposed", "Remove EXPOSE 22: containers are entered by the run time, not by SSH.");
    }

    private static IEnumerable<ConfigurationProblem> Environment(JsonElement config, SecretScanner scanner)
    {
        foreach (var variable in config.Texts("Env"))
        {
            var equals = variable.IndexOf('=');
            if (equals <= 0 || equals == variable.Length - 1)
                continue;
            var name = variable[..equals];
            var isNamed = SecretWords.Any(w => name.Contains(w, StringComparison.OrdinalIgnoreCase)) && !IsHarmless(name, variable[(equals + 1)..]);
            if (isNamed || scanner.Scan("config.json", Encoding.UTF8.GetBytes(variable)).Count > 0)
                yield return new("DS031", "There should be no secrets in the environment", Severity.Critical, $"the variable {name} holds what looks like a secret", "Give secrets at run time, and to builds by --mount=type=secret.");
        }
    }

    /// <summary>Names of files and switches are no secrets.</summary>
    private static bool IsHarmless(string name, string value) => name.EndsWith("_FILE", StringComparison.OrdinalIgnoreCase) || name.EndsWith("_PATH", StringComparison.OrdinalIgnoreCase)
        || value.StartsWith('/') || value.StartsWith('$') || bool.TryParse(value, out _) || int.TryParse(value, out _);

    private static IEnumerable<ConfigurationProblem> Added(List<string> history)
    {
        foreach (var command in history)
        {
            var instruction = Instruction(command);
            if (instruction.StartsWith("ADD ", StringComparison.Ordinal) && instruction.Split(' ').Skip(1).Any(static w => w.StartsWith("http://", StringComparison.Ordinal) || w.StartsWith("https://", StringComparison.Ordinal)))
                yield return new("DS005", "Files should not be added from a URL", Severity.Low, $"'{Short(instruction)}' adds whatever the address gives that day", "Use RUN with curl and a check sum, or ADD --checksum.");
        }
    }

    private static IEnumerable<ConfigurationProblem> Commands(List<string> history)
    {
        foreach (var command in history.Select(Instruction))
        {
            if (command.Contains("sudo ", StringComparison.Ordinal) && !command.Contains("install", StringComparison.Ordinal))
                yield return new("DS010", "sudo should not be used", Severity.Critical, $"'{Short(command)}' uses sudo", "Switch the user with USER.");
            if (command.Contains("chmod", StringComparison.Ordinal) && (command.Contains("chmod 777", StringComparison.Ordinal) || command.Contains("chmod -R 777", StringComparison.Ordinal)))
                yield return new("BERTH-DS-001", "Files should not be writable by everyone", Severity.Medium, $"'{Short(command)}' lets everyone write", "Give the files to the user that runs.");
        }
    }

    /// <summary>The instruction of a history entry, without what builders put in front of it.</summary>
    private static string Instruction(string command)
    {
        const string Nop = "/bin/sh -c #(nop)";
        return command.StartsWith(Nop, StringComparison.Ordinal) ? command[Nop.Length..].Trim() : command.Trim();
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..79] + "…";
}
