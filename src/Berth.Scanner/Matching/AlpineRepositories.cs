using System.Text;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Matching;

/// <summary>The file <c>etc/apk/repositories</c>, which says what an Alpine image really follows: its packages may be newer than its release.</summary>
public static class AlpineRepositories
{
    /// <summary>Path of the file in an image.</summary>
    public const string Path = "etc/apk/repositories";

    private const int MaxBytes = 1024 * 1024;

    /// <summary>The newest release that a line names (<c>3.19</c>, <c>edge</c>), for <see cref="MatchSubject.RepositoryRelease"/>; empty when none does.</summary>
    public static string Release(ReadOnlySpan<byte> content)
    {
        var newest = "";
        foreach (var line in Encoding.UTF8.GetString(content[..Math.Min(content.Length, MaxBytes)]).Split('\n'))
        {
            var release = OfLine(line.Trim());
            if (release.Length == 0 || newest == "edge")
                continue;
            if (newest.Length == 0 || release == "edge" || VersionOrders.Semantic.Compare(release, newest) > 0)
                newest = release;
        }
        return newest;
    }

    /// <summary>Such as <c>https://dl-cdn.alpinelinux.org/alpine/v3.19/main</c>, with or without a tag (<c>@edge</c>) in front; tagged ones are not followed.</summary>
    private static string OfLine(string line)
    {
        if (!line.StartsWith("http://", StringComparison.Ordinal) && !line.StartsWith("https://", StringComparison.Ordinal) && !line.StartsWith("ftp://", StringComparison.Ordinal))
            return "";
        var parts = line.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 2; i + 1 < parts.Length; i++)
        {
            if (parts[i] == "edge")
                return "edge";
            var release = parts[i].TrimStart('v');
            if (release.Length > 0 && char.IsAsciiDigit(release[0]) && release.Contains('.') && VersionOrders.Semantic.IsValid(release))
                return release;
        }
        return "";
    }
}
