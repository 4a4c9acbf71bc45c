using System.Text.Json;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Where the pages of repositories and artifacts are, and how their names are shown.</summary>
internal static class ArtifactPaths
{
    /// <summary>The page of a repository, by its name within the project.</summary>
    public static string Repository(string project, string repository) => $"/projects/{Uri.EscapeDataString(project)}/repositories/{Escaped(repository)}";

    /// <summary>The page of an artifact.</summary>
    public static string Artifact(string project, string repository, string reference) =>
        $"/projects/{Uri.EscapeDataString(project)}/artifacts/{Uri.EscapeDataString(reference)}/{Escaped(repository)}";

    /// <summary>What is known of the packages of an image; the page is another feature's.</summary>
    public static string Findings(string project, string repository, string reference) =>
        $"/projects/{Uri.EscapeDataString(project)}/findings/{Uri.EscapeDataString(reference)}/{Escaped(repository)}";

    /// <summary>The packages of an image; the page is another feature's.</summary>
    public static string Packages(string project, string repository, string reference) =>
        $"/projects/{Uri.EscapeDataString(project)}/packages/{Uri.EscapeDataString(reference)}/{Escaped(repository)}";

    /// <summary>What changed inside between two artifacts of a repository; the page is another feature's.</summary>
    public static string Diff(string project, string repository, string left, string right) =>
        $"/projects/{Uri.EscapeDataString(project)}/inside/{Escaped(repository)}?a={Uri.EscapeDataString(left)}&b={Uri.EscapeDataString(right)}";

    /// <summary>The operations of the API on an artifact, behind the base of an interface.</summary>
    public static string Api(string project, string repository, string reference) =>
        $"/projects/{Uri.EscapeDataString(project)}/repositories/{Uri.EscapeDataString(Uri.EscapeDataString(repository))}/artifacts/{Uri.EscapeDataString(reference)}";

    /// <summary>The comparison of two artifacts of a repository.</summary>
    public static string Compare(string project, string repository, string left, string right) =>
        $"{ComparePage(project, repository)}?a={Uri.EscapeDataString(left)}&b={Uri.EscapeDataString(right)}";

    /// <summary>The page that compares.</summary>
    public static string ComparePage(string project, string repository) => $"/projects/{Uri.EscapeDataString(project)}/compare/{Escaped(repository)}";

    /// <summary>What else has a layer of a repository.</summary>
    public static string Layer(string project, string repository, string digest) => $"/projects/{Uri.EscapeDataString(project)}/layers/{Uri.EscapeDataString(digest)}/{Escaped(repository)}";

    /// <summary>The name within the project.</summary>
    public static string Within(string full) => full[(full.IndexOf('/', StringComparison.Ordinal) + 1)..];

    /// <summary>A digest as people compare it.</summary>
    public static string Short(string digest) => digest.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && digest.Length > colon + 13 ? digest[..(colon + 13)] : digest;

    /// <summary>A condition "contains" of the API's query language.</summary>
    public static string Contains(string key, string text) => $"{key}=~{text.Replace(',', ' ').Trim()}";

    /// <summary>The platform of an index's entry: <c>linux/arm64/v8</c>.</summary>
    public static string PlatformOf(RawJson? platform)
    {
        if (platform is null) return "";
        using var json = JsonDocument.Parse(platform.Text);
        return string.Join('/', ((string[])["os", "architecture", "variant"])
            .Select(name => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null).Where(v => !string.IsNullOrEmpty(v)));
    }

    // Repositories' names hold slashes, and nothing else that a path would take apart.
    private static string Escaped(string repository) => string.Join('/', repository.Split('/').Select(Uri.EscapeDataString));
}
