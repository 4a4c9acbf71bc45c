using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Berth.Scanner.Tests.Schemas;

/// <summary>
/// Holds JSON documents against a JSON Schema (draft 4 and draft 7, the keywords that the schemas of Data/schemas use). A keyword that is not known here throws, so that
/// no rule is passed over unseen.
/// </summary>
internal sealed class JsonSchema
{
    private const int MaxProblems = 20;

    private static readonly HashSet<string> Notes = new(StringComparer.Ordinal)
    {
        "$schema", "$id", "id", "$comment", "title", "description", "examples", "default", "meta:enum", "deprecated", "definitions",
    };

    private static readonly Dictionary<string, JsonElement> Files = new(StringComparer.Ordinal);

    private readonly string name;

    private JsonSchema(string name) => this.name = name;

    /// <summary>A schema of Data/schemas.</summary>
    public static JsonSchema Load(string name)
    {
        _ = File(name);
        return new JsonSchema(name);
    }

    /// <summary>What is wrong with a document, each with its place; empty when it is valid.</summary>
    public IReadOnlyList<string> Problems(JsonElement document)
    {
        var problems = new List<string>();
        Check(document, File(name), name, "", problems);
        return problems;
    }

    private static JsonElement File(string name)
    {
        lock (Files)
        {
            if (!Files.TryGetValue(name, out var root)) Files[name] = root = JsonDocument.Parse(System.IO.File.ReadAllBytes(TestFiles.Of("schemas", name))).RootElement;
            return root;
        }
    }

    private static bool IsValid(JsonElement value, JsonElement schema, string file)
    {
        var problems = new List<string>();
        Check(value, schema, file, "", problems);
        return problems.Count == 0;
    }

    private static void Check(JsonElement value, JsonElement schema, string file, string place, List<string> problems)
    {
        if (problems.Count >= MaxProblems || schema.ValueKind == JsonValueKind.True) return;
        if (schema.ValueKind == JsonValueKind.False)
        {
            problems.Add($"{place}: nothing is allowed here");
            return;
        }
        // Up to draft 7 nothing counts beside a reference.
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var (other, target) = Resolve(reference.GetString()!, file);
            Check(value, target, other, place, problems);
            return;
        }
        foreach (var rule in schema.EnumerateObject())
        {
            if (Notes.Contains(rule.Name)) continue;
            var problem = OfValue(value, rule) ?? OfGroups(value, rule, schema, file);
            if (problem is { Length: > 0 }) problems.Add($"{(place.Length == 0 ? "/" : place)}: {problem}");
        }
        Members(value, schema, file, place, problems);
        Items(value, schema, file, place, problems);
    }

    /// <summary>Keywords about one value; empty when it holds, null for other keywords.</summary>
    private static string? OfValue(JsonElement value, JsonProperty rule)
    {
        var want = rule.Value;
        var isText = value.ValueKind == JsonValueKind.String;
        var isNumber = value.ValueKind == JsonValueKind.Number;
        var isList = value.ValueKind == JsonValueKind.Array;
        switch (rule.Name)
        {
            case "type": return (want.ValueKind == JsonValueKind.Array ? want.EnumerateArray().Any(one => IsType(value, one.GetString()!)) : IsType(value, want.GetString()!)) ? "" : $"is no {want}";
            case "enum": return want.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)) ? "" : $"{value} is none of the values";
            case "const": return JsonElement.DeepEquals(want, value) ? "" : $"is not {want}";
            case "pattern": return !isText || Regex.IsMatch(value.GetString()!, want.GetString()!, RegexOptions.ECMAScript) ? "" : $"\"{value}\" does not match {want}";
            case "format": return !isText || HasFormat(value.GetString()!, want.GetString()!) ? "" : $"\"{value}\" is no {want}";
            case "minLength": return !isText || Length(value) >= want.GetInt32() ? "" : "is too short";
            case "maxLength": return !isText || Length(value) <= want.GetInt32() ? "" : "is too long";
            case "minimum": return !isNumber || value.GetDecimal() >= want.GetDecimal() ? "" : $"{value} is below {want}";
            case "maximum": return !isNumber || value.GetDecimal() <= want.GetDecimal() ? "" : $"{value} is above {want}";
            case "minItems": return !isList || value.GetArrayLength() >= want.GetInt32() ? "" : "has too few items";
            case "maxItems": return !isList || value.GetArrayLength() <= want.GetInt32() ? "" : "has too many items";
            case "uniqueItems": return !isList || !want.GetBoolean() || AreUnique(value) ? "" : "has an item twice";
            case "required": return value.ValueKind != JsonValueKind.Object ? "" : string.Join(", ", want.EnumerateArray().Where(one => !value.TryGetProperty(one.GetString()!, out _)).Select(one => $"{one} is missing"));
            case "properties" or "additionalProperties" or "items" or "additionalItems": return "";
            default: return null;
        }
    }

    private static string OfGroups(JsonElement value, JsonProperty rule, JsonElement schema, string file)
    {
        switch (rule.Name)
        {
            case "allOf": return rule.Value.EnumerateArray().All(one => IsValid(value, one, file)) ? "" : "holds not all of several rules";
            case "anyOf": return rule.Value.EnumerateArray().Any(one => IsValid(value, one, file)) ? "" : "holds none of several rules";
            case "oneOf": return rule.Value.EnumerateArray().Count(one => IsValid(value, one, file)) == 1 ? "" : "holds not exactly one of several rules";
            case "if": return !IsValid(value, rule.Value, file) || !schema.TryGetProperty("then", out var then) || IsValid(value, then, file) ? "" : "holds a condition and not what follows";
            case "then": return "";
            default: throw new NotSupportedException($"the schema {file} uses {rule.Name}");
        }
    }

    private static void Members(JsonElement value, JsonElement schema, string file, string place, List<string> problems)
    {
        if (value.ValueKind != JsonValueKind.Object) return;
        var known = schema.TryGetProperty("properties", out var properties) ? properties : default;
        var others = schema.TryGetProperty("additionalProperties", out var additional) ? additional : default;
        foreach (var member in value.EnumerateObject())
        {
            if (known.ValueKind == JsonValueKind.Object && known.TryGetProperty(member.Name, out var own)) Check(member.Value, own, file, $"{place}/{member.Name}", problems);
            else if (others.ValueKind == JsonValueKind.False) problems.Add($"{place}: {member.Name} is not allowed");
            else if (others.ValueKind == JsonValueKind.Object) Check(member.Value, others, file, $"{place}/{member.Name}", problems);
        }
    }

    private static void Items(JsonElement value, JsonElement schema, string file, string place, List<string> problems)
    {
        if (value.ValueKind != JsonValueKind.Array || !schema.TryGetProperty("items", out var items)) return;
        var rest = schema.TryGetProperty("additionalItems", out var additional) ? additional : default;
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            var rule = items.ValueKind != JsonValueKind.Array ? items : at < items.GetArrayLength() ? items[at] : rest;
            if (rule.ValueKind != JsonValueKind.Undefined) Check(item, rule, file, $"{place}/{at}", problems);
            at++;
        }
    }

    private static (string File, JsonElement Schema) Resolve(string reference, string file)
    {
        var hash = reference.IndexOf('#');
        var name = hash < 0 ? reference : reference[..hash];
        if (name.Length > 0) file = name;
        var schema = File(file);
        if (hash < 0) return (file, schema);
        foreach (var part in reference[(hash + 1)..].Split('/', StringSplitOptions.RemoveEmptyEntries)) schema = schema.GetProperty(part);
        return (file, schema);
    }

    private static bool IsType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "integer" => value.ValueKind == JsonValueKind.Number && value.GetDecimal() % 1 == 0,
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => throw new NotSupportedException($"the schema has the type {type}"),
    };

    private static bool HasFormat(string text, string format) => format switch
    {
        "date-time" => Regex.IsMatch(text, @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$") && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
        "uri" => Uri.IsWellFormedUriString(text, UriKind.Absolute),
        "uri-reference" => Uri.IsWellFormedUriString(text, UriKind.RelativeOrAbsolute),
        // Characters that RFC 3987 has in no part.
        "iri-reference" => text.IndexOfAny([' ', '<', '>', '"', '{', '}', '|', '\\', '^', '`', '\n', '\r', '\t']) < 0,
        "idn-email" => text.Contains('@'),
        _ => throw new NotSupportedException($"the schema has the format {format}"),
    };

    private static int Length(JsonElement value) => new StringInfo(value.GetString()!).LengthInTextElements;

    private static bool AreUnique(JsonElement list)
    {
        // Equal values have equal raw texts here: all come from one writer.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return list.EnumerateArray().All(item => seen.Add(item.GetRawText()));
    }
}
