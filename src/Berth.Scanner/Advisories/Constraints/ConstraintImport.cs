using System.Text.Json;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Osv;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Advisories.Constraints;

/// <summary>
/// Takes over advisories that are written as constraints of an ecosystem, one JSON object a line: <c>ecosystem</c> and <c>package</c> with either
/// <c>vulnerable_versions</c>, <c>patched_versions</c>, <c>unaffected_versions</c> (a text or a list), or <c>branches</c> (FriendsOfPHP), or <c>affected</c> and <c>fix</c>.
/// </summary>
public static class ConstraintImport
{
    /// <summary>Feed of what comes from here.</summary>
    public const string Feed = "constraints";

    /// <summary>Adds one advisory; answers the source with its counts.</summary>
    internal static DatabaseSource Take(DatabaseSource source, JsonElement json, AdvisoryDatabaseBuilder builder)
    {
        var id = json.Text("id");
        if (id.Length == 0 || json.Text("package").Length == 0 || OsvEcosystems.TypeOf(json.Text("ecosystem")) is not { } type || Prefix(type) is not { } prefix)
            return source with { Skipped = source.Skipped + 1 };
        var advisory = new Advisory(id)
        {
            VulnerableVersions = [.. Texts(json, "vulnerable_versions"), .. Branches(json), .. Exact(json)],
            PatchedVersions = [.. Texts(json, "patched_versions"), .. Texts(json, "fix")],
            UnaffectedVersions = [.. Texts(json, "unaffected_versions")],
            VendorIds = json.Texts("aliases"),
        };
        if (advisory.VulnerableVersions.Count == 0 && advisory.PatchedVersions.Count == 0)
        {
            // Nothing is repaired: every version that is not named as unaffected has the flaw.
            advisory = advisory with { PatchedVersions = ["< 0"] };
        }
        builder.Add(
            new AdvisoryBucket($"{prefix}::{source.Name}", Feed) { SourceId = Path.GetFileName(source.Name).Split('.')[0], SourceName = source.Name },
            PackageNames.ForTrivy(type, json.Text("package")), advisory);
        builder.Add(Feed, Detail(id, json));
        return source with { Records = source.Records + 1 };
    }

    /// <summary>What stands in front of the buckets of an ecosystem in Trivy's words; null for distributions.</summary>
    public static string? Prefix(PackageType type) => type switch
    {
        PackageType.Npm => "npm",
        PackageType.PyPi => "pip",
        PackageType.Maven => "maven",
        PackageType.NuGet => "nuget",
        PackageType.Go => "go",
        PackageType.Cargo => "cargo",
        PackageType.RubyGems => "rubygems",
        PackageType.Composer => "composer",
        PackageType.Pub => "pub",
        PackageType.Swift => "swift",
        PackageType.CocoaPods => "cocoapods",
        PackageType.Conan => "conan",
        PackageType.Hex => "erlang",
        PackageType.Julia => "julia",
        PackageType.Bitnami => "bitnami",
        PackageType.Kubernetes => "k8s",
        _ => null,
    };

    private static VulnerabilityDetail Detail(string id, JsonElement json)
    {
        double v3 = json.Real("cvss_v3") is > 0 and var given ? given : json.Real("cvss_score"), v4 = json.Real("cvss_v4"), v2 = json.Real("cvss_v2");
        var vector = json.Text("cvss_vector");
        var scores = new CvssScores { V2Score = v2, V3Score = v3, V4Score = v4, V3Vector = vector.StartsWith("CVSS:3", StringComparison.Ordinal) ? vector : "" };
        string[] urls = [json.Text("url"), json.Text("link"), .. json.Texts("references")];
        var date = json.Time("date") ?? json.Time("publish_date");
        return new VulnerabilityDetail(id)
        {
            Title = json.Text("title"),
            Description = json.Text("overview"),
            // The word of the source counts where there is no score.
            Severity = scores.Best > 0 ? Severities.OfScore(scores.Best) : Severities.Parse(json.Text("severity")),
            Cvss = scores.Best > 0 ? new Dictionary<string, CvssScores> { [Feed] = scores } : new Dictionary<string, CvssScores>(),
            References = [.. urls.Where(static u => u.Length > 0).Distinct(StringComparer.Ordinal)],
            Aliases = [.. json.Texts("aliases").Append(json.Text("cve")).Where(a => a.Length > 0 && a != id).Distinct(StringComparer.Ordinal)],
            Published = date,
            Modified = date,
        };
    }

    private static string[] Texts(JsonElement json, string name) => json.Text(name) is { Length: > 0 } text ? [text] : json.Texts(name);

    private static IEnumerable<string> Branches(JsonElement json) =>
        json.Properties("branches").Select(static b => string.Join(", ", b.Value.Texts("versions"))).Where(static v => v.Length > 0);

    private static IEnumerable<string> Exact(JsonElement json) => json.Text("affected") is { Length: > 0 } version ? ["= " + version] : [];
}
