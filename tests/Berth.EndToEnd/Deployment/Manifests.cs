using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Berth.EndToEnd.Deployment;

/// <summary>The objects that a chart or a kustomization renders, as JSON.</summary>
public sealed class Manifests
{
    private readonly List<JsonObject> objects = [];

    private Manifests()
    {
    }

    /// <summary>All objects, in the order of the text.</summary>
    public IReadOnlyList<JsonObject> All => objects;

    /// <summary>Reads YAML documents.</summary>
    public static Manifests Parse(string yaml)
    {
        var manifests = new Manifests();
        var parser = new Parser(new StringReader(yaml));
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
        {
            if (ToJson(new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(parser)) is JsonObject found)
            {
                manifests.objects.Add(found);
            }
        }

        return manifests;
    }

    /// <summary>The one object of a kind, or the one of that kind and name.</summary>
    public JsonObject One(string kind, string? name = null) =>
        Assert.Single(objects, item => Text(item, "kind") == kind && (name is null || Text(item, "metadata", "name") == name));

    /// <summary>Whether there is an object of the kind.</summary>
    public bool Has(string kind) => objects.Any(item => Text(item, "kind") == kind);

    /// <summary>The value at a path of keys and indexes as text; null when there is none.</summary>
    public static string? Text(JsonNode? node, params object[] path) => At(node, path)?.ToString();

    /// <summary>The node at a path of keys and indexes; null when there is none.</summary>
    public static JsonNode? At(JsonNode? node, params object[] path)
    {
        foreach (var step in path)
        {
            node = step switch
            {
                string key when node is JsonObject map => map[key],
                int index when node is JsonArray list && index < list.Count => list[index],
                _ => null,
            };
        }

        return node;
    }

    /// <summary>The container of a Deployment.</summary>
    public static JsonNode Container(JsonObject deployment) => At(deployment, "spec", "template", "spec", "containers", 0)!;

    /// <summary>The variables of a container; one that comes from a Secret has the value <paramref name="secret"/> makes of Secret and key.</summary>
    public static Dictionary<string, string> Environment(JsonNode container, Func<string, string, string> secret) => (container["env"] as JsonArray ?? [])
        .ToDictionary(
            variable => Text(variable, "name")!,
            variable => At(variable, "valueFrom", "secretKeyRef") is { } from ? secret(Text(from, "name")!, Text(from, "key")!) : Text(variable, "value") ?? "");

    private static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        IDictionary<object, object?> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString()!, ToJson(pair.Value)))),
        IEnumerable<object?> list => new JsonArray([.. list.Select(ToJson)]),
        bool flag => JsonValue.Create(flag),
        string text => JsonValue.Create(text),
        _ => JsonNode.Parse(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!),
    };
}
