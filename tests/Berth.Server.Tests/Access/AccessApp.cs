using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Access;

/// <summary>
/// A server with nothing but sign-in, on a port of its own. <c>/v2/</c> is the version check, <c>/v2/NAME?action=pull</c> asks for a right,
/// both as the registry does: 200 with the caller's id, 401 with the challenge, 403, or 429.
/// </summary>
internal sealed class AccessApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private AccessApp(WebApplication app, string folder)
    {
        _app = app;
        _folder = folder;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public HttpClient Http { get; }

    public string Address => Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    public Users Users => _app.Services.GetRequiredService<Users>();

    public IServiceProvider Services => _app.Services;

    public AccessCounters Counters => _app.Services.GetRequiredService<AccessCounters>();

    /// <summary>Starts a server on a migrated database.</summary>
    /// <param name="database">The database; a second server on the same one is a replica.</param>
    /// <param name="time">The clock.</param>
    /// <param name="options">Settings of access.</param>
    /// <param name="http">Settings of HTTP.</param>
    /// <param name="projects">Settings of projects; by default every user may push to projects that are not there.</param>
    /// <param name="identity">Settings of accounts.</param>
    public static async Task<AccessApp> StartAsync(
        Database database, TimeProvider time, AccessOptions? options = null, HttpOptions? http = null, ProjectOptions? projects = null, IdentityOptions? identity = null)
    {
        options ??= new AccessOptions();
        var folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore().AddLogging();
        builder.Services.AddSingleton(database).AddSingleton(time);
        builder.Services.AddSingleton(RuntimeSettings.Constant(new Dictionary<string, string>()));
        builder.Services.AddAccess(options, identity ?? new IdentityOptions(), projects ?? new ProjectOptions { CreateOnPush = ProjectCreators.Everyone }, http ?? new HttpOptions(), folder);
        var app = builder.Build();
        app.Use(next => PathPrefix.Before(next, http?.Prefix ?? ""));
        app.UseRouting();
        app.MapAccess(options);
        app.Use(next => context => context.GetEndpoint() is null ? AnswerAsync(context) : next(context));
        await app.StartAsync();
        return new AccessApp(app, folder);
    }

    /// <summary>Adds a project whose members have these roles.</summary>
    public Task AddProjectAsync(string name, bool isPublic = false, params (string User, long Role)[] members) => _app.Services.GetRequiredService<Database>().WriteAsync(Durability.Full, async (session, ct) =>
    {
        var id = await ProjectRows.AddAsync(session, name, new ProjectSeed(isPublic, -1, null, new Dictionary<string, string>()), 0, ct);
        foreach (var (user, role) in members)
            await session.ExecuteAsync(s_insertMember, [id, (await session.ScalarAsync(s_userOf, [user], ct))!.Value, role], ct);
        return true;
    }, CancellationToken.None);

    /// <summary>Takes a user's roles away.</summary>
    public Task RemoveMemberAsync(string user) => _app.Services.GetRequiredService<Database>().WriteAsync(Durability.Full, async (session, ct) =>
    {
        await session.ExecuteAsync(s_deleteMember, [user], ct);
        await session.AnnounceAsync(Topics.Access, "", ct);
        return true;
    }, CancellationToken.None);

    /// <summary>Asks for a path of this server.</summary>
    public async Task<HttpResponseMessage> GetAsync(string path, AuthenticationHeaderValue? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = authorization } };
        return await Http.SendAsync(request);
    }

    /// <summary>Asks the token service; the answer must be a token.</summary>
    public async Task<JsonElement> TokenAsync(string query, AuthenticationHeaderValue? authorization = null)
    {
        using var response = await GetAsync("/service/token" + query, authorization);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await JsonOf(response);
    }

    /// <summary>Posts a form to the token service.</summary>
    public async Task<HttpResponseMessage> PostAsync(params (string Key, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Key, f.Value)));
        return await Http.PostAsync(new Uri("/service/token", UriKind.Relative), form);
    }

    public static async Task<JsonElement> JsonOf(HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return document.RootElement.Clone();
    }

    public static AuthenticationHeaderValue Basic(string name, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    public static AuthenticationHeaderValue BearerOf(JsonElement answer) => new("Bearer", answer.GetProperty("token").GetString());

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var access = context.RequestServices.GetRequiredService<ICallerSource>();
        var name = context.Request.Path.Value!["/v2/".Length..];
        var word = context.Request.Query["action"].ToString();
        var signIn = await access.SignInAsync(context, context.RequestAborted);
        var scope = name.Length == 0 ? "" : $"repository:{name}:{word}";
        if (signIn.RetryAfter is { } wait)
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = wait.TotalSeconds.ToString();
            return;
        }
        if (signIn.Caller is { } caller)
        {
            var isAllowed = name switch
            {
                "" => access.MayUseApi(caller),
                "_catalog" => access.MayListCatalog(caller),
                _ => (await access.RightsAsync(caller, name, context.RequestAborted)).May(Enum.Parse<RepositoryAction>(word, ignoreCase: true)),
            };
            if (isAllowed)
            {
                await context.Response.WriteAsync(caller.Id);
                return;
            }
            if (!caller.IsAnonymous && caller.Grants is null)
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return;
            }
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        var error = signIn.Caller is null ? "invalid_token" : signIn.Caller.Grants is null ? null : "insufficient_scope";
        context.Response.Headers.WWWAuthenticate = access.Challenge(context, scope, error);
    }

    private static readonly Statement s_insertMember = new("INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) VALUES (@0, 1, @1, @2, 0)");
    private static readonly Statement s_userOf = new("SELECT id FROM users WHERE name = @0");
    private static readonly Statement s_deleteMember = new("DELETE FROM project_members WHERE subject_id = (SELECT id FROM users WHERE name = @0)");
}
