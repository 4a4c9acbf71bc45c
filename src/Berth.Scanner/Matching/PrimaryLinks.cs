namespace Berth.Scanner.Matching;

/// <summary>The page about a flaw that a reader wants first.</summary>
public static class PrimaryLinks
{
    private static readonly Dictionary<string, string[]> OfSource = new(StringComparer.Ordinal)
    {
        ["debian"] = ["http://www.debian.org", "https://www.debian.org"],
        ["ubuntu"] = ["http://www.ubuntu.com", "https://usn.ubuntu.com"],
        ["redhat"] = ["https://access.redhat.com"],
        ["suse-cvrf"] = ["http://lists.opensuse.org", "https://lists.opensuse.org"],
        ["oracle-oval"] = ["http://linux.oracle.com/errata", "https://linux.oracle.com/errata"],
        ["nodejs-security-wg"] = ["https://www.npmjs.com", "https://hackerone.com"],
        ["ruby-advisory-db"] = ["https://groups.google.com"],
    };

    /// <summary>The page; empty when none is known.</summary>
    /// <param name="id">Id of the flaw.</param>
    /// <param name="references">Links of its description.</param>
    /// <param name="source">Who says it is one (<c>debian</c>, <c>redhat</c> …); empty for nobody in particular.</param>
    public static string Of(string id, IReadOnlyList<string> references, string source)
    {
        if (id.StartsWith("CVE-", StringComparison.Ordinal))
            return "https://avd.aquasec.com/nvd/" + id.ToLowerInvariant();
        if (id.StartsWith("GHSA-", StringComparison.Ordinal))
            return "https://github.com/advisories/" + id;
        if (id.StartsWith("TEMP-", StringComparison.Ordinal))
            return "https://security-tracker.debian.org/tracker/" + id;
        foreach (var prefix in (ReadOnlySpan<string>)["RUSTSEC-", "GO-", "PYSEC-", "DEBIAN-", "ALPINE-", "BIT-", "MAL-", "ALSA-", "RLSA-", "UBUNTU-"])
        {
            if (id.StartsWith(prefix, StringComparison.Ordinal))
                return "https://osv.dev/vulnerability/" + id;
        }
        foreach (var start in OfSource.GetValueOrDefault(source, []))
        {
            if (references.FirstOrDefault(r => r.StartsWith(start, StringComparison.Ordinal)) is { } reference)
                return reference;
        }
        return "";
    }
}
