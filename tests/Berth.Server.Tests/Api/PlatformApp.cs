using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Api;

/// <summary>
/// The real server in mode <c>local</c> with an administrator, and calls of its management API in JSON as any user. What the API makes is made through it.
/// </summary>
internal sealed class PlatformApp : IAsyncDisposable
{
    public const string Password = "Harbor12345";

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    private PlatformApp(RegistryApp registry) => Registry = registry;

    /// <summary>The server, for the registry's own protocol. Give <see cref="As"/> as header.</summary>
    public RegistryApp Registry { get; }

    public IServiceProvider Services => Registry.Services;

    public Database Database => Services.GetRequiredService<Database>();

    /// <summary>Starts a server; the user <c>admin</c> has <see cref="Password"/>.</summary>
    public static async Task<PlatformApp> StartAsync(DatabaseKind kind, Func<BerthOptions, BerthOptions>? more = null, Action<IServiceCollection>? services = null, string? server = null)
    {
        var registry = await RegistryApp.StartAsync(kind, more: o =>
        {
            // What is deleted goes at once, but where a test is about the trash.
            o = o with { Access = o.Access with { Mode = AccessMode.Local }, Trash = new Berth.Server.Trash.TrashOptions { Days = 0 } };
            return more is null ? o : more(o);
        }, services: services, server: server);
        await registry.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, CancellationToken.None);
        return new PlatformApp(registry);
    }

    /// <summary>Starts one more server on the same database and folder; dispose it before this one.</summary>
    public async Task<PlatformApp> AddReplicaAsync(Func<BerthOptions, BerthOptions>? more = null, Action<IServiceCollection>? services = null) =>
        new(await Registry.AddReplicaAsync(more, services));

    /// <summary>Header of a user; by default the password is <see cref="Password"/>.</summary>
    public static (string Name, string Value) As(string user, string password = Password) =>
        ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    /// <summary>Adds a user with <see cref="Password"/>.</summary>
    public async Task<long> AddUserAsync(string name, bool isAdmin = false)
    {
        var users = Services.GetRequiredService<Users>();
        Assert.True(await users.AddAsync(name, Password, isAdmin, CancellationToken.None));
        return (await users.FindAsync(name, CancellationToken.None))!.Id;
    }

    /// <summary>Calls the API.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="path">From the slash on: <c>/api/v2.0/projects</c>.</param>
    /// <param name="user">Who calls, with <see cref="Password"/>; empty for nobody.</param>
    /// <param name="body">JSON text, or null.</param>
    /// <param name="headers">More headers; they win over <paramref name="user"/>.</param>
    public async Task<ApiAnswer> CallAsync(string method, string path, string user = "admin", string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Registry.Url + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (user.Length > 0 && !headers.Any(h => h.Name == "Authorization"))
        {
            var (name, value) = As(user);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        using var response = await _client.SendAsync(request);
        var all = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
        return new ApiAnswer((int)response.StatusCode, all, await response.Content.ReadAsStringAsync());
    }

    /// <summary>GET as JSON; the answer must be 200.</summary>
    public async Task<JsonNode> GetAsync(string path, string user = "admin")
    {
        var answer = await CallAsync("GET", path, user);
        Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Body}");
        return answer.Json;
    }

    /// <summary>POST that makes something; its address.</summary>
    public async Task<string> CreateAsync(string path, string body, string user = "admin")
    {
        var answer = await CallAsync("POST", path, user, body);
        Assert.True(answer.Status == 201, $"{path}: {answer.Status} {answer.Body}");
        return answer.Header("Location") ?? "";
    }

    /// <summary>Changes settings that can be changed while the server runs.</summary>
    public async Task SetAsync(string json)
    {
        var answer = await CallAsync("PUT", "/api/v2.0/configurations", body: json);
        Assert.True(answer.Status == 200, $"{json}: {answer.Status} {answer.Body}");
    }

    /// <summary>Makes a project.</summary>
    public Task AddProjectAsync(string name, bool isPublic = false, string user = "admin") =>
        CreateAsync("/api/v2.0/projects", $$$"""{"project_name":"{{{name}}}","metadata":{"public":"{{{(isPublic ? "true" : "false")}}}"}}""", user);

    /// <summary>Gives a user a role in a project (Harbor's ids: 1 admin, 2 developer, 3 guest, 4 maintainer, 5 limited guest).</summary>
    public Task AddMemberAsync(string project, string name, int role) =>
        CreateAsync($"/api/v2.0/projects/{project}/members", $$$"""{"role_id":{{{role}}},"member_user":{"username":"{{{name}}}"}}""");

    /// <summary>Pushes an image as a user.</summary>
    public async Task PushAsync(string repository, string tag, TestImage image, string user = "admin")
    {
        var header = As(user);
        foreach (var blob in image.Blobs)
        {
            var answer = await Registry.PostAsync($"/v2/{repository}/blobs/uploads/?digest={Oci.Digest.Of(blob)}", blob, header);
            Assert.True(answer.Status == 201, $"blob of {repository}: {answer.Status} {answer.Text}");
        }
        var manifest = await Registry.PutManifestAsync(repository, tag, image.Manifest, image.MediaType, header);
        Assert.True(manifest.Status == 201, $"manifest of {repository}:{tag}: {manifest.Status} {manifest.Text}");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Registry.DisposeAsync();
    }
}

/// <summary>An answer of the API.</summary>
internal sealed record ApiAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonNode Json => JsonNode.Parse(Body) ?? throw new JsonException("null");

    /// <summary>Message of the first error.</summary>
    public string Message => Json["errors"] is JsonArray errors ? errors[0]!["message"]!.GetValue<string>() : Json["detail"]!.GetValue<string>();

    /// <summary>Code of the first error.</summary>
    public string Code => Json["errors"] is JsonArray errors ? errors[0]!["code"]!.GetValue<string>() : Json["code"]!.GetValue<string>();

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
