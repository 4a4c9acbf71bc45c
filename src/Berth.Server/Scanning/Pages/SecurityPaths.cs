namespace Berth.Server.Scanning.Pages;

/// <summary>Where the pages about the contents of images are.</summary>
internal static class SecurityPaths
{
    /// <summary>The page of the installation.</summary>
    public const string Overview = "/administration/security";

    /// <summary>Exceptions of the installation.</summary>
    public const string Exceptions = "/administration/exceptions";

    /// <summary>The search over all images.</summary>
    public const string SearchPage = "/search/vulnerabilities";

    /// <summary>Everything with a flaw.</summary>
    public static string Search(string id) => $"{SearchPage}?id={Uri.EscapeDataString(id)}";

    /// <summary>Everything with a package.</summary>
    public static string SearchPackage(string name) => $"{SearchPage}?package={Uri.EscapeDataString(name)}";

    /// <summary>The page of a project.</summary>
    public static string Project(string project) => $"/projects/{Uri.EscapeDataString(project)}/security";

    /// <summary>Exceptions of a project.</summary>
    public static string ProjectExceptions(string project) => $"/projects/{Uri.EscapeDataString(project)}/exceptions";
}
