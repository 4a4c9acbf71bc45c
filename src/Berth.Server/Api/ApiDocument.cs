using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Berth.Server.Platform.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>
/// The description of the API (OpenAPI 3.1), made from the very operations that are served: paths, parameters, bodies, answers, and what a caller needs.
/// It is made at the first request; nothing of it costs the start.
/// </summary>
internal sealed class ApiDocument
{
    private static readonly JsonSerializerOptions s_types = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private readonly Lazy<byte[]> _harbor;
    private readonly Lazy<byte[]> _berth;

    public ApiDocument(Func<IEnumerable<ApiOperation>> operations)
    {
        _harbor = new Lazy<byte[]>(() => Bytes(Write([.. operations().Where(o => o.Surface != ApiSurface.Berth)], "Berth: the API of Harbor v2.0")));
        _berth = new Lazy<byte[]>(() => Bytes(Write([.. operations().Where(o => o.Surface == ApiSurface.Berth)], "Berth: what Harbor has no word for")));
    }

    internal static IEnumerable<ApiOperation> Operations(ApiDocument document) =>
    [
        new(HttpMethods.Get, "/openapi.json", "getOpenApi", "api", ApiNeed.Anybody, (_, _) => Task.FromResult(Send(document._harbor.Value))) { Summary = "This description" },
        new(HttpMethods.Get, "/openapi.json", "getBerthOpenApi", "api", ApiNeed.Anybody, (_, _) => Task.FromResult(Send(document._berth.Value))) { Surface = ApiSurface.Berth, Summary = "This description" },
    ];

    /// <summary>The description of some operations.</summary>
    internal static JsonObject Write(IReadOnlyList<ApiOperation> operations, string title)
    {
        var schemas = new SchemaTable();
        var paths = new JsonObject();
        foreach (var path in operations.GroupBy(o => PathOf(o.Route)).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var item = new JsonObject();
            foreach (var operation in path.OrderBy(o => o.Method, StringComparer.Ordinal)) item[operation.Method.ToLowerInvariant()] = Describe(operation, schemas);
            paths[path.Key] = item;
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = title, ["version"] = "2.0" },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(new JsonObject { ["basic"] = new JsonArray() }, new JsonObject { ["session"] = new JsonArray() }, new JsonObject()),
            ["tags"] = new JsonArray([.. operations.Select(o => o.Tag).Distinct().Order(StringComparer.Ordinal).Select(t => (JsonNode)new JsonObject { ["name"] = t })]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["basic"] = new JsonObject { ["type"] = "http", ["scheme"] = "basic" },
                    ["session"] = new JsonObject { ["type"] = "apiKey", ["in"] = "cookie", ["name"] = "sid" },
                },
                ["schemas"] = schemas.All(),
            },
        };
    }

    private static JsonObject Describe(ApiOperation operation, SchemaTable schemas)
    {
        var described = new JsonObject
        {
            ["operationId"] = operation.Id,
            ["tags"] = new JsonArray(operation.Tag),
            ["summary"] = operation.Summary,
            ["description"] = "Needs: " + NeedOf(operation.Need),
        };
        var parameters = Parameters(operation);
        if (parameters.Count > 0) described["parameters"] = parameters;
        if (operation.Body is { } body) described["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(schemas.ReferTo(body)) };
        described["responses"] = Responses(operation, schemas);
        return described;
    }

    private static JsonArray Parameters(ApiOperation operation)
    {
        var parameters = new JsonArray();
        foreach (var name in ParametersOf(operation.Route))
        {
            var isNumber = (name == "id" || name.EndsWith("_id", StringComparison.Ordinal)) && name is not ("project_name_or_id" or "pool_id" or "job_id" or "registration_id");
            parameters.Add(Parameter(name, "path", isNumber ? "integer" : "string", isRequired: true));
        }
        if (operation.IsList)
        {
            parameters.Add(Parameter("q", "query", "string", isRequired: false));
            parameters.Add(Parameter("sort", "query", "string", isRequired: false));
            parameters.Add(Parameter("page", "query", "integer", isRequired: false));
            parameters.Add(Parameter("page_size", "query", "integer", isRequired: false));
        }
        foreach (var name in operation.Query.Where(n => !operation.IsList || n is not ("q" or "sort" or "page" or "page_size"))) parameters.Add(Parameter(name, "query", "string", isRequired: false));
        return parameters;
    }

    private static JsonObject Parameter(string name, string where, string type, bool isRequired)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = where, ["schema"] = new JsonObject { ["type"] = type } };
        if (isRequired) parameter["required"] = true;
        return parameter;
    }

    private static JsonObject Responses(ApiOperation operation, SchemaTable schemas)
    {
        var success = new JsonObject { ["description"] = "success" };
        if (operation.Answer is { } answer)
        {
            var schema = schemas.ReferTo(answer);
            success["content"] = Json(operation.IsList ? new JsonObject { ["type"] = "array", ["items"] = schema } : schema);
        }
        if (operation.IsList) success["headers"] = new JsonObject
        {
            ["X-Total-Count"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "integer" } },
            ["Link"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } },
        };
        var errors = new JsonObject { ["description"] = "an error", ["content"] = operation.Surface == ApiSurface.Berth ? ProblemContent(schemas) : Json(schemas.ReferTo(typeof(ApiErrors))) };
        return new JsonObject { ["2XX"] = success, ["default"] = errors };
    }

    private static JsonObject ProblemContent(SchemaTable schemas) => new() { ["application/problem+json"] = new JsonObject { ["schema"] = schemas.ReferTo(typeof(ApiProblem)) } };

    private static JsonObject Json(JsonNode schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    /// <summary>What a caller needs, in words.</summary>
    internal static string NeedOf(ApiNeed need) => need.Kind switch
    {
        ApiNeedKind.Anybody => "nothing",
        ApiNeedKind.SignedIn => "to be signed in",
        ApiNeedKind.Admin => "to be an administrator",
        ApiNeedKind.Inside => "depends on what it is about",
        ApiNeedKind.Project => $"{need.Permission} in the project",
        _ => $"{need.Permission} for the installation",
    };

    // Routes may have constraints and catch-all marks; the description has not.
    private static string PathOf(string route)
    {
        var path = new StringBuilder(route.Length);
        for (var i = 0; i < route.Length; i++)
        {
            path.Append(route[i]);
            if (route[i] != '{') continue;
            while (route[i + 1] == '*') i++;
            while (route[i + 1] is not ('}' or ':' or '?')) path.Append(route[++i]);
            while (route[i + 1] != '}') i++;
        }
        return path.ToString();
    }

    private static IEnumerable<string> ParametersOf(string route) => PathOf(route).Split('{').Skip(1).Select(p => p[..p.IndexOf('}', StringComparison.Ordinal)]);

    private static ApiResult Send(byte[] document) => ApiResult.Stream("application/json; charset=utf-8", (context, ct) => context.Response.Body.WriteAsync(document, ct).AsTask());

    private static byte[] Bytes(JsonObject document)
    {
        ((JsonObject)document["info"]!)["x-berth-version"] = ProcessMetrics.Version;
        return Encoding.UTF8.GetBytes(document.ToJsonString());
    }

    /// <summary>The schemas that a description refers to, each once under the name of its type.</summary>
    private sealed class SchemaTable
    {
        private readonly Dictionary<Type, string> _names = [];
        private readonly SortedDictionary<string, JsonNode> _schemas = new(StringComparer.Ordinal);

        public JsonObject ReferTo(Type type)
        {
            if (type == typeof(JsonElement) || type == typeof(JsonNode) || type == typeof(object)) return new JsonObject { ["type"] = "object" };
            if (!_names.TryGetValue(type, out var name))
            {
                name = NameOf(type);
                for (var n = 2; _schemas.ContainsKey(name); n++) name = string.Create(CultureInfo.InvariantCulture, $"{NameOf(type)}{n}");
                _names.Add(type, name);
                _schemas.Add(name, new JsonObject());
                var schema = JsonSchemaExporter.GetJsonSchemaAsNode(s_types, type, new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
                _schemas[name] = Relocate(schema, name);
            }
            return new JsonObject { ["$ref"] = "#/components/schemas/" + name };
        }

        public JsonObject All() => new(_schemas.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value)));

        private static string NameOf(Type type) => type.IsGenericType
            ? type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] + "Of" + string.Concat(type.GetGenericArguments().Select(NameOf))
            : type.IsArray ? "ListOf" + NameOf(type.GetElementType()!) : type.Name;

        // The exporter refers to places in its own document.
        private static JsonNode Relocate(JsonNode schema, string name)
        {
            if (schema is JsonObject map)
            {
                if (map["$ref"] is JsonValue pointer && pointer.GetValue<string>() is ['#', ..] place) map["$ref"] = $"#/components/schemas/{name}{place[1..]}";
                foreach (var (_, child) in map.ToList())
                {
                    if (child is not null) Relocate(child, name);
                }
            }
            else if (schema is JsonArray list)
            {
                foreach (var child in list)
                {
                    if (child is not null) Relocate(child, name);
                }
            }
            return schema is JsonValue ? new JsonObject() : schema;
        }
    }
}

/// <summary>Harbor's envelope of errors.</summary>
public sealed record ApiErrors(IReadOnlyList<ApiErrorEntry> Errors);

/// <summary>One error.</summary>
public sealed record ApiErrorEntry(string Code, string Message);

/// <summary>A problem document (RFC 9457).</summary>
public sealed record ApiProblem(string Type, string Title, int Status, string Detail, string Code, string Instance);
