using System.Text.Json;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Deployment;

/// <summary>Asks the built program whether the settings that a deployment makes are settings, by <c>berth config check</c>.</summary>
public static class BerthSettings
{
    /// <summary>A secret key of the right size, where a deployment takes one from a Secret.</summary>
    public const string SecretKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly string[] s_drivers = ["s3", "azure", "gcs", "swift"];

    /// <summary>The keys of object stores that deployments write; each has to be a setting once its driver is there.</summary>
    private static readonly Dictionary<string, string[]> s_driverKeys = new()
    {
        ["s3"] = ["bucket", "region", "endpoint", "publicEndpoint", "accessKey", "secretKey", "forcePathStyle", "rootDirectory", "encrypt", "keyId", "storageClass"],
        ["azure"] = ["accountName", "accountKey", "container"],
        ["gcs"] = ["bucket", "rootDirectory", "keyFile"],
        ["swift"] = ["authUrl", "username", "password", "container", "region", "tenant", "domain"],
    };

    /// <summary>Fails unless every setting of the file and the variables is one. Files that settings name are made in the shell's folder.</summary>
    public static async Task Check(ClientShell shell, string? yaml, IReadOnlyDictionary<string, string> variables)
    {
        var command = new List<string> { "config", "check", "--json" };
        if (yaml is not null)
        {
            var mounted = yaml.Replace("/etc/berth/tls", Certificate(shell), StringComparison.Ordinal)
                .Replace("/etc/berth/gcs/GCS_KEY_DATA", shell.Write("gcs-key.json", "{}"), StringComparison.Ordinal);
            command.AddRange(["--config", shell.Write("berth.yaml", mounted)]);
        }

        foreach (var (name, value) in variables.Where(variable => variable.Key.StartsWith("BERTH_", StringComparison.Ordinal)))
        {
            shell.Set(name, value);
        }

        var output = await shell.Try(RegistryUnderTest.BerthBinary(), [.. command]);
        foreach (var name in variables.Keys)
        {
            shell.Unset(name);
        }

        var problems = JsonDocument.Parse(output.Out).RootElement.GetProperty("problems").EnumerateArray()
            .Where(problem => !IsOfMissingDriver(problem.GetProperty("key").GetString() ?? ""))
            .Select(problem => $"{problem.GetProperty("key")}: {problem.GetProperty("message")}");
        Assert.Empty(problems);
        Assert.Empty(DriverKeys(yaml, variables).Except(s_driverKeys.SelectMany(driver => driver.Value.Select(key => $"{driver.Key}.{key}")), StringComparer.OrdinalIgnoreCase));
    }

    // A driver is there when the page of settings, which is made from the program, has its keys.
    private static bool IsOfMissingDriver(string key) =>
        s_drivers.Any(driver => key.Equals($"storage.{driver}", StringComparison.OrdinalIgnoreCase) || key.StartsWith($"storage.{driver}.", StringComparison.OrdinalIgnoreCase))
        && !File.ReadAllText(Path.Combine(RegistryUnderTest.SourceRoot(), "docs", "configuration.md")).Contains($"`storage.{key.Split('.')[1].ToLowerInvariant()}.", StringComparison.Ordinal);

    private static IEnumerable<string> DriverKeys(string? yaml, IReadOnlyDictionary<string, string> variables)
    {
        var storage = yaml is null ? null : Manifests.Parse(yaml).All.Single()["storage"]?.AsObject();
        foreach (var driver in s_drivers)
        {
            foreach (var (key, _) in storage?[driver]?.AsObject() ?? [])
            {
                yield return $"{driver}.{key}";
            }

            var start = $"BERTH_STORAGE__{driver.ToUpperInvariant()}__";
            foreach (var name in variables.Keys.Where(name => name.StartsWith(start, StringComparison.Ordinal)))
            {
                yield return $"{driver}.{name[start.Length..]}";
            }
        }
    }

    private static string Certificate(ClientShell shell)
    {
        shell.Write("tls/tls.crt", "certificate");
        return Path.GetDirectoryName(shell.Write("tls/tls.key", "key"))!;
    }
}
