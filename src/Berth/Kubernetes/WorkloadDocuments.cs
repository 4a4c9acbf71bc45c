using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Berth.Kubernetes;

/// <summary>
/// Reads workloads out of documents of Kubernetes: YAML with any number of documents, or JSON, which is YAML; lists too. What is made by something else that is listed (a pod of a deployment)
/// is left out where the documents say so.
/// </summary>
internal static class WorkloadDocuments
{
    private const int MaxChars = 256 * 1024 * 1024;
    private const int MaxWorkloads = 100_000;
    private const int MaxLists = 4;
    private const string DefaultNamespace = "default";

    /// <summary>Reads a text.</summary>
    /// <param name="text">The documents.</param>
    /// <param name="listKind">Kind of the entries of a list that do not say theirs; null for none.</param>
    /// <exception cref="InvalidDataException">It is neither YAML nor JSON, or has too much.</exception>
    public static IReadOnlyList<Workload> Read(string text, string? listKind = null)
    {
        if (text.Length > MaxChars) throw new InvalidDataException($"the documents have more than {MaxChars} characters");
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new InvalidDataException($"line {e.Start.Line}: {e.Message}", e);
        }
        var found = new List<Workload>();
        foreach (var document in stream.Documents) Take(document.RootNode, listKind, 0, found);
        return found;
    }

    private static void Take(YamlNode node, string? listKind, int depth, List<Workload> found)
    {
        if (found.Count > MaxWorkloads) throw new InvalidDataException($"there are more than {MaxWorkloads} workloads");
        var kind = Text(node, "kind");
        if (kind.EndsWith("List", StringComparison.Ordinal) && Member(node, "items") is YamlSequenceNode items)
        {
            if (depth >= MaxLists) throw new InvalidDataException("lists are nested too deeply");
            foreach (var item in items) Take(item, kind.Length > 4 ? kind[..^4] : null, depth + 1, found);
            return;
        }
        if (kind.Length == 0) kind = listKind ?? "";
        if (PodOf(node, kind) is not { } pod || IsMadeByAnother(node)) return;
        var images = ((string[])["initContainers", "containers", "ephemeralContainers"]).SelectMany(name => Member(pod, name) as YamlSequenceNode ?? Enumerable.Empty<YamlNode>())
            .Select(static container => Text(container, "image")).Where(static image => image.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var metadata = Member(node, "metadata");
        if (images.Count > 0) found.Add(new Workload(Text(metadata, "namespace") is { Length: > 0 } space ? space : DefaultNamespace, kind, Text(metadata, "name"), images));
    }

    private static YamlNode? PodOf(YamlNode node, string kind) => kind switch
    {
        "Pod" => Member(node, "spec"),
        "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "ReplicationController" or "Job" => Member(Member(Member(node, "spec"), "template"), "spec"),
        "CronJob" => Member(Member(Member(Member(Member(node, "spec"), "jobTemplate"), "spec"), "template"), "spec"),
        "PodTemplate" => Member(Member(node, "template"), "spec"),
        _ => null,
    };

    private static bool IsMadeByAnother(YamlNode node) => Member(Member(node, "metadata"), "ownerReferences") is YamlSequenceNode owners
        && owners.Any(static owner => Text(owner, "controller") == "true" && Text(owner, "kind") is "Deployment" or "ReplicaSet" or "StatefulSet" or "DaemonSet" or "Job" or "CronJob" or "ReplicationController");

    private static YamlNode? Member(YamlNode? node, string name) => node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null;

    private static string Text(YamlNode? node, string name) => Member(node, name) is YamlScalarNode { Value: { } text } ? text : "";
}
