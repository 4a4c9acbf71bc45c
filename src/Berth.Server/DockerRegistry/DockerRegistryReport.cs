using System.Text;
using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>One thing an operator should know about a Docker Registry configuration.</summary>
/// <param name="Key">The key in that file, or the variable.</param>
/// <param name="Kind"><c>warning</c>, <c>not needed</c>, <c>not yet</c>, <c>not supported</c> or <c>unknown</c>.</param>
/// <param name="Text">Why, and what to do.</param>
/// <param name="Origin">Where it is written.</param>
public sealed record DockerRegistryNotice(string Key, string Kind, string Text, ConfigOrigin Origin);

/// <summary>What was found in a Docker Registry configuration beside the settings it maps to; rendered as one start-up message.</summary>
public sealed class DockerRegistryReport(string file)
{
    private readonly List<DockerRegistryNotice> notices = [];

    /// <summary>Every key that is not simply honoured, in the order of the file.</summary>
    public IReadOnlyList<DockerRegistryNotice> Notices => notices;

    /// <summary>The one message for the start: which file, then a line for each reason with its keys.</summary>
    public string Message
    {
        get
        {
            var text = new StringBuilder($"{file} is a Docker Registry configuration and is used as it is");
            var groups = notices.GroupBy(notice => (notice.Kind, notice.Text));
            foreach (var group in groups.OrderBy(group => group.Key.Kind == "warning" ? 0 : 1))
                text.Append('\n').Append("  ").Append(group.Key.Kind).Append(": ").AppendJoin(", ", group.Select(notice => notice.Key).Distinct()).Append(": ").Append(group.Key.Text);
            return text.ToString();
        }
    }

    internal void Warn(string key, ConfigOrigin origin, string text) => notices.Add(new(key, "warning", text, origin));

    /// <summary>Notes a key that is written in the file; honoured ones and those that stop the start need no notice.</summary>
    internal void Met(string path, ConfigOrigin origin)
    {
        var key = DockerRegistryKeys.Find(path);
        var kind = key?.Verdict switch
        {
            DockerRegistryVerdict.NotNeeded => "not needed",
            DockerRegistryVerdict.NotYet => "not yet",
            DockerRegistryVerdict.NotSupported => "not supported",
            null => "unknown",
            _ => null,
        };
        if (kind is null)
            return;
        var text = key?.Text ?? $"not a key of Docker Registry 2.8 or 3, ignored as there; did you mean \"{NearestKey.Find(path, DockerRegistryKeys.All.Select(known => known.Path))}\"?";
        notices.Add(new(path, kind, text, origin));
    }

    internal void UnknownVariable(string name) =>
        notices.Add(new(name, "unknown", "not a setting of Docker Registry; ignored as there", ConfigOrigin.Environment(name)));
}
