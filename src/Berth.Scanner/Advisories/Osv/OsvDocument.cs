using System.Text.Json;

namespace Berth.Scanner.Advisories.Osv;

/// <summary>One advisory of OSV (schema 1.7) as this program keeps it. Unknown fields are ignored.</summary>
/// <param name="Detail">What it says about the flaw.</param>
/// <param name="Affected">Packages that have it, each ecosystem and name once.</param>
public sealed record OsvDocument(VulnerabilityDetail Detail, IReadOnlyList<OsvAffected> Affected)
{
    /// <summary>Advisories name at most this many packages.</summary>
    private const int MaxAffected = 20_000;

    /// <summary>Null when it was withdrawn or has no id.</summary>
    public static OsvDocument? Parse(JsonElement json)
    {
        var id = json.Text("id");
        if (id.Length == 0 || json.Text("withdrawn").Length > 0)
            return null;
        var affected = new Dictionary<(string, string), OsvAffected>();
        var order = new List<(string, string)>();
        CvssScores? ofPackages = null;
        foreach (var item in json.Items("affected").Take(MaxAffected))
        {
            ofPackages ??= OsvSeverity.Cvss(item);
            if (item.Object("package") is not { } package)
                continue;
            var (ecosystem, name) = (package.Text("ecosystem"), package.Text("name"));
            if (OsvEcosystems.TypeOf(ecosystem) is not { } type || name.Length == 0)
                continue;
            var key = (ecosystem, PackageNames.ForOsv(type, name));
            if (!affected.TryGetValue(key, out var known))
            {
                known = new OsvAffected(key.ecosystem, key.Item2, new Advisory(id) { IsOsv = true });
                order.Add(key);
            }
            affected[key] = known with { Advisory = Join(known.Advisory, item, id) };
        }
        return new OsvDocument(Details(id, json, affected.Keys.Any(static k => OsvEcosystems.IsDistribution(k.Item1)), ofPackages), [.. order.Select(k => affected[k])]);
    }

    /// <summary>Entries with the same package are joined by OR.</summary>
    private static Advisory Join(Advisory advisory, JsonElement item, string id)
    {
        var severity = Severities.Parse((item.Object("ecosystem_specific") ?? default).Text("urgency"));
        if (severity == Severity.Unknown)
            severity = Severities.Parse((item.Object("ecosystem_specific") ?? default).Text("severity"));
        return advisory with
        {
            Id = id,
            Severity = (Severity)Math.Max((int)advisory.Severity, (int)severity),
            Ranges = [.. advisory.Ranges, .. item.Items("ranges").Select(Range).OfType<OsvRange>()],
            Versions = [.. advisory.Versions, .. item.Texts("versions")],
        };
    }

    private static OsvRange? Range(JsonElement json)
    {
        OsvRangeKind kind;
        switch (json.Text("type"))
        {
            case "SEMVER":
                kind = OsvRangeKind.Semantic;
                break;
            case "ECOSYSTEM":
                kind = OsvRangeKind.Ecosystem;
                break;
            default:
                return null; // GIT: commits tell nothing about what is installed.
        }
        var events = new List<OsvEvent>();
        foreach (var item in json.Items("events"))
        {
            Add(events, OsvEventKind.Introduced, item.Text("introduced"));
            Add(events, OsvEventKind.Fixed, item.Text("fixed"));
            Add(events, OsvEventKind.LastAffected, item.Text("last_affected"));
            Add(events, OsvEventKind.Limit, item.Text("limit"));
        }
        return events.Count == 0 ? null : new OsvRange(kind, events);
    }

    private static void Add(List<OsvEvent> events, OsvEventKind kind, string version)
    {
        if (version.Length > 0)
            events.Add(new OsvEvent(kind, version));
    }

    private static VulnerabilityDetail Details(string id, JsonElement json, bool isDistribution, CvssScores? ofPackages)
    {
        var (source, _) = OsvEcosystems.SourceOf(id);
        var cvss = OsvSeverity.Cvss(json) ?? ofPackages;
        var specific = json.Object("database_specific") ?? default;
        var severity = Severities.Parse(specific.Text("severity"));
        if (severity == Severity.Unknown)
            severity = Severities.OfScore(cvss?.Best ?? 0);
        return new VulnerabilityDetail(id)
        {
            Title = json.Text("summary"),
            Description = json.Text("details"),
            Severity = severity,
            VendorSeverities = severity == Severity.Unknown ? new Dictionary<string, Severity>() : new Dictionary<string, Severity> { [source] = severity },
            Cvss = cvss is null ? new Dictionary<string, CvssScores>() : new Dictionary<string, CvssScores> { [source] = cvss },
            Cwes = specific.Texts("cwe_ids"),
            References = [.. json.Items("references").Select(static r => r.Text("url")).Where(static u => u.Length > 0).Distinct(StringComparer.Ordinal)],
            Aliases = Aliases(id, json, isDistribution),
            Published = json.Time("published"),
            Modified = json.Time("modified"),
        };
    }

    /// <summary>Aliases and, for errata of distributions, the flaws that they repair.</summary>
    private static string[] Aliases(string id, JsonElement json, bool isDistribution)
    {
        IEnumerable<string> ids = [.. json.Texts("aliases"), .. json.Texts("upstream")];
        if (isDistribution)
            ids = ids.Concat(json.Texts("related"));
        return [.. ids.Where(a => a.Length > 0 && a != id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}

/// <summary>A package of an advisory.</summary>
/// <param name="Ecosystem">With its suffix, such as <c>Debian:12</c>.</param>
/// <param name="Package">Name as <see cref="PackageNames.ForOsv"/> writes it.</param>
/// <param name="Advisory">What is said about it.</param>
public sealed record OsvAffected(string Ecosystem, string Package, Advisory Advisory);
