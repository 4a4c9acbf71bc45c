using System.Text.Json;
using Berth.Server.Access;

namespace Berth.Server.Projects;

/// <summary>What a project may look like and who may make one; pure decisions.</summary>
internal static class ProjectRules
{
    private const int MaxNameLength = 255;
    private const int MaxAllowedVulnerabilities = 10_000;
    private const int MaxVulnerabilityLength = 255;

    /// <summary>Largest quota, as in Harbor: 1024 TiB.</summary>
    public const long MaxQuotaBytes = 1L << 50;

    /// <summary>What is wrong with a name; null when nothing is.</summary>
    public static string? ProblemOfName(string name)
    {
        if (name.Length is 0 or > MaxNameLength) return $"Project name {name} is illegal in length. (greater than {MaxNameLength} or less than 1)";
        return ProjectName.IsValid(name) ? null : "project name is not in lower case or contains illegal characters";
    }

    /// <summary>What is wrong with a quota; null when nothing is.</summary>
    public static string? ProblemOfQuota(long bytes) => bytes switch
    {
        -1 or (> 0 and <= MaxQuotaBytes) => null,
        <= 0 => $"invalid non-positive value for quota limit, value={bytes}",
        _ => $"exceeded 1024TB, which is {MaxQuotaBytes} Bytes, value={bytes}",
    };

    /// <summary>What is wrong with a list of accepted vulnerabilities; null when nothing is.</summary>
    public static string? ProblemOf(AllowListJson list, long projectId)
    {
        if (list.ProjectId is not (null or 0) && list.ProjectId != projectId) return $"project_id in cve_allowlist must be {projectId} but it's {list.ProjectId}";
        if (list.Items is null) return null;
        if (list.Items.Count > MaxAllowedVulnerabilities) return $"cve_allowlist has more than {MaxAllowedVulnerabilities} items";
        return list.Items.Any(i => i.CveId is not { Length: > 0 and <= MaxVulnerabilityLength }) ? "an item of cve_allowlist has no cve_id" : null;
    }

    /// <summary>A list of accepted vulnerabilities as it is stored, each once.</summary>
    public static string TextOf(AllowListJson list) =>
        JsonSerializer.Serialize(new AllowListJson { ExpiresAt = list.ExpiresAt, Items = [.. (list.Items ?? []).DistinctBy(static i => i.CveId)] }, ProjectJsonContext.Default.AllowListJson);

    /// <summary>
    /// Settings of a request in the form that is stored: unknown keys, empty values and what only proxies have are left out.
    /// </summary>
    /// <returns>False with a sentence when a value is wrong.</returns>
    public static bool TryReadSettings(IReadOnlyDictionary<string, string?>? given, out Dictionary<string, string> settings, out string problem)
    {
        settings = new(StringComparer.Ordinal);
        problem = "";
        foreach (var (key, value) in given ?? new Dictionary<string, string?>())
        {
            if (string.IsNullOrEmpty(value) || !ProjectSettings.IsKnown(key) || ProjectSettings.IsOfProxies(key)) continue;
            if (!ProjectSettings.TryNormalize(key, value, out var stored, out _))
            {
                problem = key == ProjectSettings.Public
                    ? $"metadata.public should only be 'true' or 'false', but got: '{value}'"
                    : $"metadata.{key}: invalid value: {value}";
                return false;
            }
            settings[key] = stored;
        }
        return true;
    }

    /// <summary>Why a caller may not make a project; null when that is allowed.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="mayCreate">Whether the caller has the permission of the installation for it.</param>
    /// <param name="creators">The setting.</param>
    public static string? WhyNotCreate(Caller caller, bool mayCreate, ProjectCreators creators)
    {
        if (creators == ProjectCreators.Nobody) return "Nobody can create project: projects.creators says so";
        if (mayCreate) return null;
        if (caller.Kind == CallerKind.Robot) return "Only system level robot can create project";
        if (caller.Scopes is not null) return "a token that is limited to projects cannot create one";
        return creators == ProjectCreators.Everyone ? null : "Only system admin can create project";
    }
}
