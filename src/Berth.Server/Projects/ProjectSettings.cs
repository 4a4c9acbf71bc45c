using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Berth.Server.Projects;

/// <summary>The settings of a project (its metadata): which keys there are and what their values may be.</summary>
internal static class ProjectSettings
{
    /// <summary>Anybody may pull; a column of the project.</summary>
    public const string Public = "public";

    /// <summary>Manifests that may be pulled in a minute, by all callers together; ours.</summary>
    public const string PullLimit = "pull_limit_per_minute";

    /// <summary>Manifests that may be pushed in a minute, by all callers together; ours.</summary>
    public const string PushLimit = "push_limit_per_minute";

    /// <summary>Accepted vulnerabilities as JSON; has a field of its own in Harbor's API and is not among the settings there.</summary>
    public const string AllowList = "cve_allowlist";

    /// <summary>Whether the gate for pulls is up (Harbor's key).</summary>
    public const string PreventVulnerable = "prevent_vul";

    /// <summary>The severity from which on findings close the gate (Harbor's key).</summary>
    public const string Severity = "severity";

    /// <summary>Whether the list of the installation holds in place of the project's (Harbor's key).</summary>
    public const string ReuseSystemAllowList = "reuse_sys_cve_allowlist";

    /// <summary>What the gate does: <c>enforce</c>, <c>warn</c>, <c>off</c>; ours.</summary>
    public const string GateMode = "pull_gate_mode";

    /// <summary>What becomes of images that no scan has reported on: <c>refuse</c>, <c>allow</c>; ours.</summary>
    public const string GateUnscanned = "pull_gate_unscanned";

    /// <summary>Minutes after its push in which an image may be pulled while its first scan waits or runs; ours.</summary>
    public const string GateGrace = "pull_gate_grace_minutes";

    /// <summary>Whether only findings with a repair close the gate; ours.</summary>
    public const string GateFixableOnly = "pull_gate_fixable_only";

    /// <summary>Whether VEX documents that are attached to images count; ours.</summary>
    public const string TrustAttachedVex = "trust_attached_vex";

    private const int MaxGraceMinutes = 24 * 60;

    /// <summary>Number of the retention policy; whoever keeps policies sets it.</summary>
    public const string RetentionId = "retention_id";

    /// <summary>The packages of a bill of materials that is attached to an image count, in place of those that its layers show; ours.</summary>
    public const string PreferAttachedSbom = "prefer_attached_sbom";

    /// <summary>Whether scans look for secrets; the installation's setting where the project says nothing; ours.</summary>
    public const string ScanSecrets = "scan_secrets";

    /// <summary>Whether scans check the configuration of images; the installation's setting where the project says nothing; ours.</summary>
    public const string ScanMisconfiguration = "scan_misconfiguration";

    private const int MaxPatternLength = 1024;

    private static readonly string[] s_flags =
    [
        Public, "enable_content_trust", "enable_content_trust_cosign", "auto_sbom_generation", PreventVulnerable, "auto_scan", ReuseSystemAllowList,
        "proxy_cache_local_on_not_found", "proxy_referrer_api", GateFixableOnly, TrustAttachedVex,
        PreferAttachedSbom, ScanSecrets, ScanMisconfiguration,
    ];

    private static readonly string[] s_ofProxies = ["proxy_speed_kb", "max_upstream_conn", "proxy_cache_filter_pattern", "proxy_cache_filter_kind"];

    private static readonly string[] s_severities = ["none", "low", "medium", "high", "critical"];

    /// <summary>Whether a key is one that people may read.</summary>
    public static bool IsShown(string key) => key is not (AllowList or Naming.NamingRules.Setting);

    /// <summary>Whether a setting only means something for a project that caches another registry.</summary>
    public static bool IsOfProxies(string key) => s_ofProxies.Contains(key, StringComparer.Ordinal);

    /// <summary>Whether there is such a key.</summary>
    public static bool IsKnown(string key) =>
        s_flags.Contains(key, StringComparer.Ordinal) || IsOfProxies(key) || key is Severity or PullLimit or PushLimit or GateMode or GateUnscanned or GateGrace;

    /// <summary>Brings a value into the form that is stored; false with a sentence when it is wrong.</summary>
    public static bool TryNormalize(string key, string value, [NotNullWhen(true)] out string? stored, out string problem)
    {
        stored = null;
        problem = $"invalid value: {value}";
        if (s_flags.Contains(key, StringComparer.Ordinal))
        {
            stored = FlagOf(value);
        }
        else if (key == Severity)
        {
            var severity = value.ToLowerInvariant();
            stored = severity == "negligible" ? "none" : s_severities.Contains(severity, StringComparer.Ordinal) ? severity : null;
        }
        else if (key is PullLimit or PushLimit)
        {
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) stored = limit.ToString(CultureInfo.InvariantCulture);
        }
        else if (key == GateMode)
        {
            if (value is "enforce" or "warn" or "off") stored = value;
        }
        else if (key == GateUnscanned)
        {
            if (value is "refuse" or "allow") stored = value;
        }
        else if (key == GateGrace)
        {
            if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) && minutes <= MaxGraceMinutes) stored = minutes.ToString(CultureInfo.InvariantCulture);
        }
        else if (key is "proxy_speed_kb" or "max_upstream_conn")
        {
            if (int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && (key != "max_upstream_conn" || number is > 0 or -1))
                stored = number.ToString(CultureInfo.InvariantCulture);
        }
        else if (key == "proxy_cache_filter_kind")
        {
            if (value is "" or "doublestar" or "regex") stored = value;
        }
        else if (key == "proxy_cache_filter_pattern")
        {
            if (value.Length <= MaxPatternLength) stored = value;
        }
        else
        {
            problem = $"invalid key: {key}";
        }
        return stored is not null;
    }

    // The words that Harbor takes for true and false.
    private static string? FlagOf(string value) => value switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => "true",
        "0" or "f" or "F" or "false" or "FALSE" or "False" => "false",
        _ => null,
    };
}
