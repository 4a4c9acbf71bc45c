using Microsoft.CodeAnalysis.Diagnostics;

namespace Berth.Analyzers;

/// <summary>Where a source file lies in its project.</summary>
internal static class SourceFolder
{
    /// <summary>The folders between the project and the file, outermost first; null for a file outside the project's folder.</summary>
    public static string[]? Of(string path, AnalyzerOptions options)
    {
        if (!options.AnalyzerConfigOptionsProvider.GlobalOptions.TryGetValue("build_property.ProjectDir", out var project))
        {
            return null;
        }

        path = path.Replace('\\', '/');
        project = project.Replace('\\', '/').TrimEnd('/') + "/";
        if (!path.StartsWith(project, StringComparison.Ordinal))
        {
            return null;
        }

        var parts = path.Substring(project.Length).Split('/');
        return parts.Take(parts.Length - 1).ToArray();
    }
}
