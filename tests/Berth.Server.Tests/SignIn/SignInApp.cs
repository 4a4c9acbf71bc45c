using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.SignIn;

/// <summary>The real server on loopback, with a database of its own, and browsers and programs that call it.</summary>
internal sealed class SignInApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;
    private readonly List<IDisposable> _open = [];

    private SignInApp(WebApplication app, string folder) => (_app, _folder) = (app, folder);

    public string Address { get; private set; } = "";

    /// <summary>The data folder.</summary>
    public string Folder => _folder;

    public IServiceProvider Services => _app.Services;

    public Users Users => Services.GetRequiredService<Users>();

    public Database Database => Services.GetRequiredService<Database>();

    /// <summary>Starts a server with the administrator <c>admin</c> / <c>Harbor12345</c> and the user <c>local</c> / <c>Local12345</c>.</summary>
    public static async Task<SignInApp> StartAsync(IdentityOptions identity, Func<BerthOptions, BerthOptions>? change = null, Action<IServiceCollection>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var options = new BerthOptions
        {
            DataFolder = folder,
            Http = new HttpOptions { Urls = ["http://127.0.0.1:0"] },
            Identity = identity,
            Access = new AccessOptions { FailuresBeforeDelay = 50 },
        };
        var app = await BerthServer.BuildAsync(change?.Invoke(options) ?? options, configure, CancellationToken.None);
        await app.StartAsync();
        var started = new SignInApp(app, folder) { Address = app.Urls.First() };
        await started.Users.AddAsync("admin", "Harbor12345", isAdmin: true, CancellationToken.None);
        await started.Users.AddAsync("local", "Local12345", isAdmin: false, CancellationToken.None);
        return started;
    }

    /// <summary>A client that keeps cookies and follows no redirects, as a browser under control does.</summary>
    public HttpClient Browser()
    {
        var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        var client = new HttpClient(handler) { BaseAddress = new Uri(Address) };
        _open.Add(client);
        return client;
    }

    /// <summary>A client with Basic credentials.</summary>
    public HttpClient Program(string? name = null, string password = "")
    {
        var client = new HttpClient { BaseAddress = new Uri(Address) };
        if (name is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));
        _open.Add(client);
        return client;
    }

    /// <summary>What <c>/v2/</c> says to a name and a password.</summary>
    public async Task<HttpStatusCode> TryAsync(string name, string password, CancellationToken ct)
    {
        using var response = await Program(name, password).GetAsync(new Uri("/v2/", UriKind.Relative), ct);
        return response.StatusCode;
    }

    /// <summary>Signs a browser in with a password; the answer.</summary>
    public static async Task<HttpResponseMessage> LoginAsync(HttpClient browser, string name, string password, CancellationToken ct)
    {
        using var form = new FormUrlEncodedContent([new("principal", name), new("password", password)]);
        return await browser.PostAsync(new Uri("/c/login", UriKind.Relative), form, ct);
    }

    /// <summary>Names of a user's groups.</summary>
    public async Task<List<string>> GroupsOfAsync(string user, CancellationToken ct) => await Database.ReadAsync(user, static async (session, user, ct) =>
    {
        var names = new List<string>();
        await using var row = await session.Command(GroupsOfUser, user).ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) names.Add(row.GetString(0));
        return names;
    }, ct);

    /// <summary>Runs a statement.</summary>
    public Task<long?> RunAsync(Statement statement, object?[] values, CancellationToken ct) =>
        Database.WriteAsync(Durability.Full, async (session, token) => await session.ScalarAsync(statement, values, token), ct);

    public static async Task<JsonElement> JsonOf(HttpResponseMessage response, CancellationToken ct)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(ct));
        return document.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _open) client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static readonly Statement GroupsOfUser = new("""
        SELECT g.name FROM user_group_members m JOIN user_groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id WHERE u.name = @0 ORDER BY g.name
        """);
}
