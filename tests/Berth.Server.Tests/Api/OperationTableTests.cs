using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Administration;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Api;

/// <summary>The operations that are registered, held against Harbor's list and against the approved files.</summary>
public sealed class OperationTableTests
{
    private sealed record HarborOperation(string Tag, string Method, string Path, string Id);

    [Fact]
    public async Task Each_of_Harbors_operations_is_there_or_answers_501()
    {
        var operations = await OperationsAsync();
        var routes = operations.Where(o => o.Surface == ApiSurface.Harbor).Select(o => (o.Method, Shape(o.Path))).ToHashSet();
        var missing = Harbor().Where(h => !routes.Contains((h.Method, Shape(h.Path)))).Select(h => $"{h.Tag}: {h.Method} {h.Path} ({h.Id})");
        Assert.Empty(missing);
    }

    [Fact]
    public void The_later_operations_are_Harbors()
    {
        var harbor = Harbor().Select(h => (h.Method, h.Path, h.Id, h.Tag)).ToHashSet();
        Assert.All(LaterOperations.All, o => Assert.Contains((o.Method, o.Path, o.Id, o.Tag), harbor));
    }

    [Fact]
    public async Task No_operation_is_registered_twice()
    {
        var operations = await OperationsAsync();
        Assert.Empty(operations.GroupBy(o => (o.Method, Shape(o.Route))).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(o => o.Id))}"));
        Assert.Empty(operations.GroupBy(o => (o.Surface == ApiSurface.Berth, o.Id)).Where(g => g.Count() > 1).Select(g => g.Key.Id));
    }

    [Fact]
    public async Task Routes_and_needs_are_approved()
    {
        var text = new StringBuilder();
        foreach (var operation in (await OperationsAsync()).OrderBy(o => o.Route, StringComparer.Ordinal).ThenBy(o => o.Method, StringComparer.Ordinal))
            text.Append($"{operation.Method,-6} {operation.Route}  {operation.Need}  {operation.Id}\n");
        Approval.Verify(text.ToString(), "api-routes.txt");
    }

    [Fact]
    public async Task The_page_of_Harbors_operations_is_up_to_date()
    {
        var operations = await OperationsAsync();
        var real = operations.Where(o => o.Surface == ApiSurface.Harbor && !LaterOperations.All.Contains(o)).Select(o => (o.Method, Shape(o.Path))).ToHashSet();
        var text = new StringBuilder("| Tag | Operation | | Answer |\n| --- | --- | --- | --- |\n");
        foreach (var h in Harbor()) text.Append($"| {h.Tag} | `{h.Method} {h.Path}` | {h.Id} | {(real.Contains((h.Method, Shape(h.Path))) ? "yes" : "501")} |\n");
        Approval.VerifyPart(text.ToString(), "docs/harbor-api.md", "operations");
    }

    [Fact]
    public async Task The_description_of_Harbors_API_is_approved() =>
        Approval.Verify(Pretty(ApiDocument.Write([.. (await OperationsAsync()).Where(o => o.Surface != ApiSurface.Berth)], "Berth: the API of Harbor v2.0")), "openapi-harbor.json");

    [Fact]
    public async Task The_description_of_our_API_is_approved() =>
        Approval.Verify(Pretty(ApiDocument.Write([.. (await OperationsAsync()).Where(o => o.Surface == ApiSurface.Berth)], "Berth: what Harbor has no word for")), "openapi-berth.json");

    [Fact]
    public async Task The_description_refers_only_to_what_it_has()
    {
        var document = ApiDocument.Write(await OperationsAsync(), "all");
        var schemas = document["components"]!["schemas"]!.AsObject();
        foreach (var reference in References(document))
        {
            JsonNode? node = document;
            foreach (var key in reference[2..].Split('/')) node = node is JsonArray list ? list[int.Parse(key)] : node?[key.Replace("~1", "/", StringComparison.Ordinal)];
            Assert.True(node is not null, reference);
        }
        Assert.NotEmpty(schemas);
    }

    internal static async Task<List<ApiOperation>> OperationsAsync()
    {
        await using var app = await PlatformApp.StartAsync(DatabaseKind.Sqlite);
        return [.. app.Services.GetServices<ApiOperations>().SelectMany(o => o.All)];
    }

    private static IEnumerable<HarborOperation> Harbor() => File.ReadLines(DataFile())
        .Skip(1).Select(line => line.Split('\t')).Select(f => new HarborOperation(f[0], f[1], f[2], f[3]));

    private static string DataFile([System.Runtime.CompilerServices.CallerFilePath] string caller = "") =>
        Path.Join(Path.GetDirectoryName(caller), "../Administration/harbor-operations.tsv");

    // Names of parameters and a slash at the end make no difference to a client.
    private static string Shape(string path) => string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(s => s[0] == '{' ? "{}" : s));

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(p => p.Key == "$ref" ? [p.Value!.GetValue<string>()] : References(p.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    private static string Pretty(JsonNode node) => node.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
