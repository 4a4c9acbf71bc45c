using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.EndToEnd.Harness;

/// <summary>Calls the management API of a registry at host and port, as the administrator unless told otherwise.</summary>
public sealed class ManagementApi(string address)
{
    /// <summary>Calls an operation that must succeed; its JSON.</summary>
    public async Task<JsonNode?> Call(HttpMethod method, string path, string? body, CancellationToken ct, string user = RegistryUnderTest.User, string secret = RegistryUnderTest.Password)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, $"http://{address}{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    /// <summary>Makes a robot of one project that may pull and push there.</summary>
    public async Task<(long Id, string Name)> AddRobot(string name, string project, CancellationToken ct)
    {
        var made = (await Call(HttpMethod.Post, "/api/v2.0/robots", $$"""
            {"name":"{{name}}","level":"project","duration":-1,"permissions":[{"kind":"project","namespace":"{{project}}",
             "access":[{"resource":"repository","action":"pull"},{"resource":"repository","action":"push"}]}]}
            """, ct))!;
        return (made["id"]!.GetValue<long>(), made["name"]!.GetValue<string>());
    }
}
