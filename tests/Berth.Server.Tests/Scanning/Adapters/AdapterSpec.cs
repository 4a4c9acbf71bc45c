using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Scanning.Adapters;
using YamlDotNet.RepresentationModel;

namespace Berth.Server.Tests.Scanning.Adapters;

/// <summary>
/// The published description of the pluggable scanner API (scanner-adapter-openapi-v1.2.yaml), read as data: says whether a request or an answer is one that it describes. Statuses of HTTP itself (401, 429, 503)
/// may always be answered.
/// </summary>
internal sealed class AdapterSpec
{
    public const string Metadata = "/metadata";
    public const string Scan = "/scan";
    public const string Report = "/scan/{scan_request_id}/report";

    private readonly JsonObject _document;

    private AdapterSpec(JsonObject document) => _document = document;

    public static AdapterSpec Read()
    {
        var yaml = new YamlStream();
        using (var text = new StreamReader(Path.Join(AppContext.BaseDirectory, "Scanning/Adapters/scanner-adapter-openapi-v1.2.yaml"))) yaml.Load(text);
        return new AdapterSpec(NodeOf(yaml.Documents[0].RootNode)!.AsObject());
    }

    /// <summary>The operation of a path below the base; null when there is none.</summary>
    public static string? OperationOf(string path) => path switch
    {
        Metadata or Scan => path,
        _ when path.StartsWith("/scan/", StringComparison.Ordinal) && path.EndsWith("/report", StringComparison.Ordinal) => Report,
        _ => null,
    };

    /// <summary>What is wrong with the body of a request; null when nothing.</summary>
    public string? ProblemOfRequest(string method, string operation, string contentType, string body)
    {
        if (_document["paths"]![operation]?[method.ToLowerInvariant()] is not { } described) return $"{method} {operation} is not described";
        if (described["requestBody"] is not { } wanted) return body.Length == 0 ? null : "a body where none is described";
        return ProblemOfContent(wanted["content"]!.AsObject(), contentType, body);
    }

    /// <summary>What is wrong with an answer; null when nothing.</summary>
    public string? ProblemOfAnswer(string method, string operation, int status, string contentType, string body)
    {
        if (status is 401 or 429 or 503) return null;
        if (_document["paths"]![operation]?[method.ToLowerInvariant()] is not { } described) return $"{method} {operation} is not described";
        if (described["responses"]![status.ToString(CultureInfo.InvariantCulture)] is not { } response) return $"{status} is no answer of {method} {operation}";
        return response["content"] is JsonObject content ? ProblemOfContent(content, contentType, body) : null;
    }

    private string? ProblemOfContent(JsonObject content, string contentType, string body)
    {
        var (_, described) = content.FirstOrDefault(one => AdapterMedia.IsSame(one.Key, contentType));
        if (described is null) return $"the media type {contentType} is not described";
        try
        {
            return ProblemOf(described["schema"]!, JsonNode.Parse(body), "$");
        }
        catch (JsonException e)
        {
            return $"no JSON: {e.Message}";
        }
    }

    private string? ProblemOf(JsonNode schema, JsonNode? value, string at)
    {
        if ((string?)schema["$ref"] is { } reference) return ProblemOf(Resolve(reference), value, at);
        if (schema["oneOf"] is JsonArray choices)
            return value is null && (string?)schema["nullable"] == "true" || choices.Any(one => ProblemOf(one!, value, at) is null) ? null : $"{at}: none of the choices";
        var problem = ((string?)schema["type"]) switch
        {
            "string" => ProblemOfText(schema, value, at),
            "integer" or "number" => value?.GetValueKind() == JsonValueKind.Number ? null : $"{at}: no number",
            "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? null : $"{at}: no boolean",
            "array" => value is not JsonArray list ? $"{at}: no list" : schema["items"] is { } items ? list.Select((one, i) => ProblemOf(items, one, $"{at}[{i}]")).FirstOrDefault(p => p is not null) : null,
            "object" => ProblemOfObject(schema, value, at),
            _ => schema["properties"] is null ? null : ProblemOfObject(schema, value, at),
        };
        return problem;
    }

    private string? ProblemOfObject(JsonNode schema, JsonNode? value, string at)
    {
        if (value is not JsonObject found) return $"{at}: no object";
        if ((schema["required"] as JsonArray ?? []).Select(name => (string)name!).FirstOrDefault(name => !found.ContainsKey(name)) is { } missing) return $"{at}: {missing} is missing";
        foreach (var (name, one) in found)
        {
            var described = schema["properties"]?[name] ?? (schema["additionalProperties"] is JsonObject more ? more : null);
            if (described is not null && ProblemOf(described, one, $"{at}.{name}") is { } problem) return problem;
        }
        return null;
    }

    private static string? ProblemOfText(JsonNode schema, JsonNode? value, string at)
    {
        if (value?.GetValueKind() != JsonValueKind.String) return $"{at}: no text";
        var text = value.GetValue<string>();
        if (schema["enum"] is JsonArray words && !words.Any(word => (string?)word == text)) return $"{at}: {text} is none of the words";
        return (string?)schema["format"] switch
        {
            "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _) ? null : $"{at}: {text} is no time",
            "uri" or "url" => Uri.TryCreate(text, UriKind.Absolute, out _) ? null : $"{at}: {text} is no address",
            _ => null,
        };
    }

    private JsonNode Resolve(string reference)
    {
        JsonNode node = _document;
        foreach (var part in reference.TrimStart('#', '/').Split('/')) node = node[part] ?? throw new InvalidOperationException($"{reference} is not there");
        return node;
    }

    // Scalars stay texts: the description compares no others.
    private static JsonNode? NodeOf(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, NodeOf(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(NodeOf)]),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };
}
