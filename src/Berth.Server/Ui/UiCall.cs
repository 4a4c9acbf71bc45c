using System.Text.Json.Nodes;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Http;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Ui;

/// <summary>One request for a page, by a reader who is known: what was asked for, the answers of the API, and what the frame around the page needs to know.</summary>
public sealed class UiCall
{
    private readonly UiQuestions _questions;
    private readonly ApiRights _rights;

    internal UiCall(HttpContext http, Caller caller, UiQuestions questions, ApiRights rights, TimeProvider time)
    {
        (Http, Caller, _questions, _rights) = (http, caller, questions, rights);
        Words = new Words(Languages.Of(http.Request));
        Now = time.GetUtcNow();
    }

    public HttpContext Http { get; }

    /// <summary>Who reads.</summary>
    public Caller Caller { get; }

    /// <summary>The project of the path; null when the path has none.</summary>
    public ProjectFacts? Project { get; internal set; }

    public Language Language => Words.Language;

    /// <summary>Words that are on many pages.</summary>
    public Words Words { get; }

    /// <summary>When the page is drawn: all relative times of it are told from here.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>The form that was posted; null for a page that is read.</summary>
    public IFormCollection? Form { get; internal set; }

    /// <summary>What a form was refused for.</summary>
    public string? Problem { get; internal set; }

    /// <summary>What is shown once.</summary>
    public object? Secret { get; internal set; }

    /// <summary>A short word about what has just been done.</summary>
    public string? Toast { get; internal set; }

    /// <summary>How to take back what has just been done; null when that cannot be done.</summary>
    public UiUndo? Undo { get; internal set; }

    /// <summary>What makes the whole page impossible: shown instead of it.</summary>
    public (int Status, string Message)? Failure { get; set; }

    /// <summary>Where the page sends the reader instead of showing itself; null for nowhere.</summary>
    public string? RedirectTo { get; set; }

    /// <summary>Title of the page.</summary>
    public string Title { get; set; } = "";

    /// <summary>What the page belongs to, outermost first: title and path.</summary>
    public IReadOnlyList<(string Title, string Path)> Crumbs { get; set; } = [];

    /// <summary>Pages beside this one that the reader may see: title, path, and whether it is this one.</summary>
    public IReadOnlyList<(string Title, string Path, bool IsHere)> Tabs { get; internal set; } = [];

    /// <summary>Whether the page stands without navigation, as the sign-in page does.</summary>
    public bool IsBare { get; set; }

    /// <summary>What forms bring along to prove that they are ours; empty where the browser vouches for it.</summary>
    public string ProofToken => Http.Features.Get<RequestProof>()?.Token ?? "";

    /// <summary>Whether the reader is an administrator.</summary>
    public bool IsAdmin => Caller.IsAdmin && (Caller.Scopes is not { } scopes || scopes.OfSystem == PermissionSet.All);

    /// <summary>The registry as clients name it: host and port.</summary>
    public string Registry
    {
        get
        {
            var origin = Http.RequestServices.GetRequiredService<HttpOptions>().OriginOf(Http.Request);
            return origin[(origin.IndexOf("://", StringComparison.Ordinal) + 3)..];
        }
    }

    /// <summary>Whether clients reach the registry without TLS.</summary>
    public bool IsPlainHttp => Http.RequestServices.GetRequiredService<HttpOptions>().OriginOf(Http.Request).StartsWith("http:", StringComparison.OrdinalIgnoreCase);

    /// <summary>A path of ours as a browser must ask for it.</summary>
    public string Link(string path) => Http.Request.PathBase + path;

    /// <summary>This page with one parameter of the query changed, and the first page of its list unless that is what changes.</summary>
    public string With(string name, string? value)
    {
        var query = Http.Request.Query.Where(q => q.Key != name && (q.Key != "page" || name == "page")).Select(q => (q.Key, Value: q.Value.ToString())).ToList();
        if (!string.IsNullOrEmpty(value)) query.Add((name, value));
        return Here + (query.Count == 0 ? "" : "?" + string.Join('&', query.Select(q => $"{Uri.EscapeDataString(q.Key)}={Uri.EscapeDataString(q.Value)}")));
    }

    /// <summary>This page without its query.</summary>
    public string Here => Http.Request.PathBase.Add(Http.Request.Path).ToUriComponent();

    /// <summary>A text of the path.</summary>
    public string Route(string name) => Http.Request.RouteValues[name] as string ?? "";

    /// <summary>A query parameter; empty when it is missing.</summary>
    public string Query(string name) => Http.Request.Query[name].ToString();

    /// <summary>A field of the form; empty when it is missing.</summary>
    public string Field(string name) => Form?[name].ToString().Trim() ?? "";

    /// <summary>Whether a box of the form is checked.</summary>
    public bool IsChecked(string name) => Field(name).Length > 0;

    /// <summary>The page of a list that is asked for, from 1.</summary>
    public int Page => int.TryParse(Query("page"), out var page) && page is > 0 and < 1_000_000 ? page : 1;

    /// <summary>Whether the reader has a permission in the project of the path, or for the installation.</summary>
    public ValueTask<bool> MayAsync(Permission permission) =>
        permission.Scope == PermissionScope.System ? _rights.MayAsync(Caller, permission, Http.RequestAborted)
        : Project is null ? ValueTask.FromResult(false)
        : _rights.MayAsync(Caller, Project, permission, Http.RequestAborted);

    /// <summary>Asks an operation of the API, as the reader.</summary>
    /// <param name="operation">Its id.</param>
    /// <param name="route">Values of its path; the project's name is there already.</param>
    /// <param name="query">Its query.</param>
    /// <param name="body">Its JSON body.</param>
    public Task<ApiResult> AskAsync(
        string operation, IReadOnlyList<(string Name, string Value)>? route = null, IReadOnlyList<(string Name, string Value)>? query = null, JsonNode? body = null) =>
        _questions.AskAsync(this, operation, route ?? [], query ?? [], body);

    /// <summary>The value of an operation that the page is nothing without: when it is refused the page is not shown, and this is null.</summary>
    public async Task<T?> NeedAsync<T>(
        string operation, IReadOnlyList<(string Name, string Value)>? route = null, IReadOnlyList<(string Name, string Value)>? query = null)
        where T : class
    {
        var result = await AskAsync(operation, route, query).ConfigureAwait(true);
        if (result.Failure is { } failure)
        {
            Failure = (result.Status, failure.Message);
            return null;
        }
        Total = result.Total ?? Total;
        return (T)result.Value!;
    }

    /// <summary>The value of an operation that the page can do without: null when it is refused.</summary>
    public async Task<T?> TryAsync<T>(
        string operation, IReadOnlyList<(string Name, string Value)>? route = null, IReadOnlyList<(string Name, string Value)>? query = null)
        where T : class => (await AskAsync(operation, route, query).ConfigureAwait(true)).Value as T;

    /// <summary>The text of an operation that answers text, such as a log; null when it is refused.</summary>
    public async Task<string?> TextAsync(string operation, IReadOnlyList<(string Name, string Value)>? route = null) =>
        await _questions.TextAsync(this, operation, route ?? []).ConfigureAwait(true);

    /// <summary>Number of all items of the list that was needed last.</summary>
    public long Total { get; private set; }

    /// <summary>Posts a form to an operation that takes one.</summary>
    public Task<ApiResult> PostAsync(string operation, params IReadOnlyList<(string Name, string Value)> fields) => _questions.PostAsync(this, operation, fields);

    /// <summary>Asks an operation for a change; then goes somewhere, or stays with what was wrong.</summary>
    public async Task<UiOutcome> ChangeAsync(
        string operation, string goTo, string toast, IReadOnlyList<(string Name, string Value)>? route = null, JsonNode? body = null, IReadOnlyList<(string Name, string Value)>? query = null,
        Func<Task<UiUndo?>>? undo = null)
    {
        var result = await AskAsync(operation, route, query, body).ConfigureAwait(false);
        if (result.Failure is { } failure) return UiOutcome.Refuse(failure.Message, result.Status);
        return UiOutcome.Go(goTo, toast, undo is null ? null : await undo().ConfigureAwait(false));
    }
}
