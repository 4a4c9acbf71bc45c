using System.Text.Json;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Debian;

/// <summary>
/// Takes over the JSON export of Debian's security tracker: source package → flaw → release → status and fixed version. Read as a stream, a package at a time.
/// </summary>
public static class DebianTrackerImport
{
    /// <summary>Feed of what comes from here.</summary>
    public const string Feed = "debian";

    private const int MaxPackageBytes = 256 * 1024 * 1024;

    private static readonly Dictionary<string, string> Releases = new(StringComparer.Ordinal)
    {
        ["wheezy"] = "7",
        ["jessie"] = "8",
        ["stretch"] = "9",
        ["buster"] = "10",
        ["bullseye"] = "11",
        ["bookworm"] = "12",
        ["trixie"] = "13",
        ["forky"] = "14",
        ["duke"] = "15",
    };

    public static DatabaseSource Read(Stream json, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var source = new DatabaseSource(Feed, name);
        var members = new LargeJsonObject(json, MaxPackageBytes);
        while (members.Next() is { } member)
        {
            ct.ThrowIfCancellationRequested();
            using var value = member.Value;
            if (value.RootElement.ValueKind != JsonValueKind.Object)
                continue;
            foreach (var flaw in JsonText.Named(value.RootElement))
                source = source with { Records = source.Records + Take(member.Name, flaw, builder) };
        }
        builder.AddSource(source);
        return source;
    }

    private static int Take(string package, JsonProperty flaw, AdvisoryDatabaseBuilder builder)
    {
        var count = 0;
        foreach (var release in flaw.Value.Properties("releases"))
        {
            if (!Releases.TryGetValue(release.Name, out var number) || Advisory(flaw.Name, release.Value) is not { } advisory)
                continue;
            builder.Add(
                new AdvisoryBucket("debian " + number, Feed)
                {
                    SourceId = "debian",
                    SourceName = "Debian Security Tracker",
                    SourceUrl = "https://security-tracker.debian.org/tracker/data/json",
                },
                package, advisory);
            count++;
        }
        if (count > 0 && flaw.Value.Text("description") is { Length: > 0 } description)
            builder.Add(Feed, new VulnerabilityDetail(flaw.Name) { Description = description });
        return count;
    }

    /// <summary>Null when the release never had the flaw or nobody knows yet.</summary>
    private static Advisory? Advisory(string id, JsonElement release)
    {
        var urgency = release.Text("urgency");
        var advisory = new Advisory(id) { Severity = Severities.Parse(urgency) };
        switch (release.Text("status"))
        {
            case "resolved":
                var version = release.Text("fixed_version");
                return version is "" or "0" ? null : advisory with { FixedVersion = version };
            case "open":
                return advisory with
                {
                    Status = urgency == "end-of-life" ? FixStatus.EndOfLife : release.Text("nodsa_reason") switch
                    {
                        "ignored" => FixStatus.WillNotFix,
                        "postponed" => FixStatus.FixDeferred,
                        _ => FixStatus.Affected,
                    },
                };
            default:
                return null;
        }
    }
}
