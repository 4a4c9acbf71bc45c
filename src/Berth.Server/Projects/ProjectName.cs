using Berth.Oci;

namespace Berth.Server.Projects;

/// <summary>Names of projects: one segment of a repository's name, at most 255 characters.</summary>
public static class ProjectName
{
    /// <summary>The project of repositories whose name has one segment only; it is there from the start and public.</summary>
    public const string Library = "library";

    /// <summary>Whether a text can be a project's name.</summary>
    public static bool IsValid(string text) => !text.Contains('/', StringComparison.Ordinal) && RepositoryName.IsValid(text);

    /// <summary>The project that a repository's name lies in.</summary>
    public static string Of(string repository)
    {
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? Library : repository[..slash];
    }

    /// <summary>The name of a repository within its project.</summary>
    public static string WithoutProject(string repository)
    {
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? repository : repository[(slash + 1)..];
    }
}
