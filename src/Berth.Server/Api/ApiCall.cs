using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Server.Access;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Api;

/// <summary>One call of an operation by a caller who is known and, as far as the operation's need says, allowed.</summary>
public sealed class ApiCall
{
    private const int MaxBodyBytes = 1024 * 1024;

    private readonly ApiRights _rights;

    internal ApiCall(HttpContext http, ApiOperation operation, Caller caller, ApiRights rights, ProjectFacts? project)
    {
        (Http, Operation, Caller, _rights, Project) = (http, operation, caller, rights, project);
    }

    public HttpContext Http { get; }

    /// <summary>Which operation.</summary>
    public ApiOperation Operation { get; }

    /// <summary>Who calls.</summary>
    public Caller Caller { get; }

    /// <summary>The project of the path; null when the path has none.</summary>
    public ProjectFacts? Project { get; }

    /// <summary>The caller as events show it.</summary>
    public EventActor Actor => new(
        Caller.IsAnonymous ? "anonymous" : Caller.Kind == CallerKind.Robot ? "robot" : "user",
        Caller.SubjectId, Caller.Name, Http.Connection.RemoteIpAddress?.ToString() ?? "", RequestFacts.Of(Http).RequestId);

    /// <summary>A text of the path, percent-decoded (twice where Harbor's clients encode twice).</summary>
    public string Route(string name)
    {
        var value = Http.Request.RouteValues[name] as string ?? "";
        return value.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(value) : value;
    }

    /// <summary>A number of the path; null when it is none.</summary>
    public long? RouteNumber(string name) =>
        long.TryParse(Route(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A query parameter; empty when it is missing.</summary>
    public string Query(string name) => Http.Request.Query[name].ToString();

    /// <summary>A query parameter that is true or false.</summary>
    public bool Flag(string name, bool whenMissing = false) => Query(name) switch
    {
        "" => whenMissing,
        var text => text is "true" or "1" or "True" or "TRUE" or "t",
    };

    /// <summary>The page that is asked for; false with the answer when the parameters are wrong.</summary>
    public bool TryReadPage(out ApiPage page, out ApiResult? refusal, int defaultSize = 10)
    {
        page = default;
        refusal = null;
        if (!TryReadNumber("page", 1, out var number) || !TryReadNumber("page_size", defaultSize, out var size) || number < 1 || size is < 1 or > ApiPage.MaxSize || number > int.MaxValue)
        {
            refusal = ApiResult.Fail(ApiError.Unprocessable, $"page must be at least 1 and page_size between 1 and {ApiPage.MaxSize}");
            return false;
        }
        page = new ApiPage(number, (int)size);
        return true;
    }

    /// <summary>Page, conditions and order of a list; false with the answer when a parameter is wrong.</summary>
    public bool TryReadList(out ApiList list, out ApiResult? refusal, int defaultSize = 10)
    {
        list = default;
        if (!TryReadPage(out var page, out refusal, defaultSize)) return false;
        if (!ApiQuery.TryParse(Query("q"), out var filters, out var problem))
        {
            refusal = ApiResult.BadRequest(problem);
            return false;
        }
        list = new ApiList(page, filters, ApiQuery.ParseSort(Query("sort")));
        return true;
    }

    /// <summary>Reads the JSON body; false with the answer when it is missing, too large or malformed.</summary>
    public async Task<(bool IsRead, T Value, ApiResult? Refusal)> ReadAsync<T>(JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        if (Http.Request.ContentLength > MaxBodyBytes) return (false, null!, ApiResult.Fail(ApiError.TooLarge, $"a body may have {MaxBodyBytes} bytes"));
        try
        {
            var value = await JsonSerializer.DeserializeAsync(new BoundedBody(Http.Request.Body, MaxBodyBytes), type, ct).ConfigureAwait(false);
            return value is null ? (false, null!, ApiResult.Fail(ApiError.Unprocessable, "the body is empty")) : (true, value, null);
        }
        catch (JsonException e)
        {
            return (false, null!, ApiResult.Fail(ApiError.Unprocessable, $"the body is not what this operation takes: {e.Path}, line {e.LineNumber + 1}"));
        }
        catch (BodyTooLargeException)
        {
            return (false, null!, ApiResult.Fail(ApiError.TooLarge, $"a body may have {MaxBodyBytes} bytes"));
        }
    }

    /// <summary>Whether the caller has a permission in the project of the path, or for the installation.</summary>
    public ValueTask<bool> MayAsync(Permission permission, CancellationToken ct) =>
        permission.Scope == PermissionScope.System ? _rights.MayAsync(Caller, permission, ct)
        : Project is null ? ValueTask.FromResult(false)
        : _rights.MayAsync(Caller, Project, permission, ct);

    /// <summary>Whether the caller has a permission in some project.</summary>
    public ValueTask<bool> MayAsync(ProjectFacts project, Permission permission, CancellationToken ct) => _rights.MayAsync(Caller, project, permission, ct);

    /// <summary>The project that a name or an id means; null when there is none.</summary>
    public ValueTask<ProjectFacts?> FindProjectAsync(string name, CancellationToken ct) => _rights.FindProjectAsync(name, ct);

    /// <summary>The project of an id; null when there is none.</summary>
    public ValueTask<ProjectFacts?> FindProjectAsync(long id, CancellationToken ct) => _rights.FindProjectAsync(id, ct);

    /// <summary>All that the caller may do in a project.</summary>
    public ValueTask<ProjectRights> RightsInAsync(ProjectFacts project, CancellationToken ct) => _rights.OfAsync(Caller, project, ct);

    /// <summary>The name that a repository has now, by its full name or one that it had before.</summary>
    public ValueTask<string> CurrentNameAsync(string repository, CancellationToken ct) => _rights.CurrentNameAsync(repository, ct);

    /// <summary>Whether the caller is an administrator whose credentials are not limited to less.</summary>
    public bool IsAdmin => Caller.IsAdmin && (Caller.Scopes is not { } scopes || scopes.OfSystem == PermissionSet.All);

    /// <summary>
    /// Whether the caller is a user with the account's full power: signed in by password or session, or by a token without limits. Only then may the account itself be changed.
    /// </summary>
    public bool IsWholeUser => Caller is { Kind: CallerKind.User, Scopes: null };

    /// <summary>The answer for somebody who may not do it: who they are decides whether credentials would help.</summary>
    public ApiResult Refuse(string? message = null) => Caller.IsAnonymous
        ? ApiResult.Fail(ApiError.Unauthorized, message ?? "unauthorized: sign in first")
        : ApiResult.Forbidden(message ?? "forbidden: you lack the permission for this");

    private bool TryReadNumber(string name, long whenMissing, out long number)
    {
        number = whenMissing;
        var text = Query(name);
        return text.Length == 0 || long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
    }
}

/// <summary>What a list operation is asked for.</summary>
/// <param name="Page">Which page.</param>
/// <param name="Filters">Conditions, all of which must hold.</param>
/// <param name="Sort">Order; empty for the operation's own.</param>
public readonly record struct ApiList(ApiPage Page, IReadOnlyList<ApiFilter> Filters, IReadOnlyList<ApiSort> Sort)
{
    /// <summary>The condition of a key, or null.</summary>
    public ApiFilter? Find(string key)
    {
        foreach (var filter in Filters)
        {
            if (filter.Key == key) return filter;
        }
        return null;
    }
}
