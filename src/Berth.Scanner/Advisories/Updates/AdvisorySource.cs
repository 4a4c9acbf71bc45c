using Berth.Client;

namespace Berth.Scanner.Advisories.Updates;

/// <summary>
/// One thing that advisories come from: an artifact of a registry, with mirrors that hold the same. Written as references with commas between them; the first that can be reached is taken.
/// </summary>
/// <param name="Mirrors">References, the favourite first; at least one.</param>
public sealed record AdvisorySource(IReadOnlyList<ImageReference> Mirrors)
{
    private const int MaxMirrors = 16;

    /// <summary>Trivy's database at its public places; used only where somebody asks for an update without saying from where.</summary>
    public static string PublicTrivyDatabase => "mirror.gcr.io/aquasec/trivy-db:2,ghcr.io/aquasecurity/trivy-db:2";

    /// <summary>Reads a source.</summary>
    /// <param name="text">References with commas between them.</param>
    /// <param name="source">What was read.</param>
    /// <param name="error">What is wrong.</param>
    public static bool TryParse(string text, out AdvisorySource source, out string error)
    {
        var mirrors = new List<ImageReference>();
        source = new AdvisorySource(mirrors);
        error = "";
        foreach (var word in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!ImageReference.TryParse(word.StartsWith("oci://", StringComparison.Ordinal) ? word[6..] : word, out var reference, out error)) return false;
            mirrors.Add(reference);
        }
        if (mirrors.Count is 0 or > MaxMirrors) error = mirrors.Count == 0 ? "a source names no artifact" : $"a source has more than {MaxMirrors} mirrors";
        return error.Length == 0;
    }

    public override string ToString() => string.Join(',', Mirrors);
}
