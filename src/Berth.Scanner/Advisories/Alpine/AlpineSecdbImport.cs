using System.Text.Json;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Advisories.Alpine;

/// <summary>
/// Takes over Alpine's security data base: one JSON file a release and repository, source package → fixed version → flaws. A fixed version <c>0</c> means that no
/// version ever had the flaw. Wolfi and Chainguard publish the same form.
/// </summary>
public static class AlpineSecdbImport
{
    /// <summary>Feed of what comes from here.</summary>
    public const string Feed = "alpine";

    private const long MaxFileBytes = 256 * 1024 * 1024;

    public static DatabaseSource Read(Stream json, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        using var bounded = new BoundedStream(json, MaxFileBytes);
        using var document = JsonDocument.Parse(bounded, JsonText.Options);
        var source = Take(document.RootElement, name, builder, ct);
        builder.AddSource(source);
        return source;
    }

    internal static DatabaseSource Take(JsonElement root, string name, AdvisoryDatabaseBuilder builder, CancellationToken ct)
    {
        var bucket = Bucket(root);
        var source = new DatabaseSource(Feed, name);
        foreach (var item in root.Items("packages"))
        {
            ct.ThrowIfCancellationRequested();
            if (item.Object("pkg") is not { } package || package.Text("name").Length == 0)
                continue;
            var fixes = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var version in package.Properties("secfixes"))
            {
                if (version.Value.ValueKind == JsonValueKind.Array)
                    Collect(fixes, version.Name, version.Value);
            }
            foreach (var (id, version) in fixes)
            {
                builder.Add(bucket, package.Text("name"), new Advisory(id) { FixedVersion = version });
                source = source with { Records = source.Records + 1 };
            }
        }
        return source;
    }

    /// <summary>A flaw that stands at several versions was repaired for good in the last of them.</summary>
    private static void Collect(Dictionary<string, string> fixes, string version, JsonElement ids)
    {
        if (version is "0" or "")
            return;
        foreach (var text in ids.EnumerateArray().Where(static v => v.ValueKind == JsonValueKind.String).Select(JsonText.SafeString))
        {
            // Some lines carry remarks: "CVE-2017-2616 (+ regression fix)".
            foreach (var word in text.Split([' ', ',', ';', '\t'], StringSplitOptions.RemoveEmptyEntries))
            {
                var id = word.Replace("CVE_", "CVE-", StringComparison.Ordinal);
                if (!id.StartsWith("CVE-", StringComparison.Ordinal) && !id.StartsWith("GHSA-", StringComparison.Ordinal))
                    continue;
                if (!fixes.TryGetValue(id, out var known) || VersionOrders.Apk.Compare(known, version) < 0)
                    fixes[id] = version;
            }
        }
    }

    private static AdvisoryBucket Bucket(JsonElement root)
    {
        var url = root.Text("urlprefix");
        foreach (var rolling in (ReadOnlySpan<string>)["wolfi", "chainguard"])
        {
            if (url.Contains(rolling, StringComparison.OrdinalIgnoreCase) && root.Text("distroversion").Length == 0)
            {
                return new AdvisoryBucket(rolling, Feed)
                {
                    SourceId = rolling,
                    SourceName = rolling == "wolfi" ? "Wolfi Secdb" : "Chainguard Security Data",
                    SourceUrl = url,
                };
            }
        }
        return new AdvisoryBucket("alpine " + root.Text("distroversion").TrimStart('v'), Feed)
        {
            SourceId = "alpine",
            SourceName = "Alpine Secdb",
            SourceUrl = "https://secdb.alpinelinux.org/",
        };
    }
}
