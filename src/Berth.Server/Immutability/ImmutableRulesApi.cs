using System.Data.Common;
using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Immutability;

/// <summary>Harbor's rules that make tags immutable: which repositories, and which tags in them.</summary>
internal sealed class ImmutableRulesApi(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxRules = 100;
    private const string All = "/projects/{project_name_or_id}/immutabletagrules";
    private const string One = "/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}";

    private static readonly ListSql s_list = new(
        "i.id, i.is_disabled, i.priority, i.repository_matches, i.repository_pattern, i.tag_matches, i.tag_pattern", "immutable_rules i",
        new Dictionary<string, ListColumn>(StringComparer.Ordinal) { ["id"] = new("i.id", ListColumnKind.Number), ["disabled"] = new("i.is_disabled", ListColumnKind.Flag) },
        "i.id", "i.id");

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(ImmutableRulesApi api) =>
    [
        new(HttpMethods.Get, All, "ListImmuRules", "immutable", ApiNeed.Project(ProjectPermissions.ImmutableTagList), api.ListAsync)
        {
            Summary = "The immutable rules of a project.", Answer = typeof(ImmutableRuleJson), IsList = true,
        },
        new(HttpMethods.Post, All, "CreateImmuRule", "immutable", ApiNeed.Project(ProjectPermissions.ImmutableTagCreate), api.CreateAsync)
        {
            Summary = "Makes an immutable rule: one selector of repositories, one of tags.", Body = typeof(ImmutableRuleJson),
        },
        new(HttpMethods.Put, One, "UpdateImmuRule", "immutable", ApiNeed.Project(ProjectPermissions.ImmutableTagUpdate), api.UpdateAsync)
        {
            Summary = "Changes an immutable rule, or switches it on and off.", Body = typeof(ImmutableRuleJson),
        },
        new(HttpMethods.Delete, One, "DeleteImmuRule", "immutable", ApiNeed.Project(ProjectPermissions.ImmutableTagDelete), api.DeleteAsync) { Summary = "Deletes an immutable rule." },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = s_list.Of("i.project_id = ?", call.Project!.Id);
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        var (total, rules) = await database.ReadAsync((query, list), static async (session, q, token) =>
            (await q.query.CountAsync(session, token).ConfigureAwait(false), await q.query.ReadAsync(session, q.list.Page, q.list.Sort, JsonOf, token).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(rules, total, ImmutableRuleJsonContext.Default.ListImmutableRuleJson);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(ImmutableRuleJsonContext.Default.ImmutableRuleJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (TryRead(request, call.Project!.Id, out var problem) is not { } rule) return ApiResult.BadRequest(problem);
        var (id, failure) = await database.WriteAsync<(long?, ApiResult?)>(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(SelectSame, [.. ValuesOf(rule), 0L], token).ConfigureAwait(false) is not null) return (null, Duplicate(call));
            if (await session.ScalarAsync(Count, [rule.ProjectId], token).ConfigureAwait(false) >= MaxRules) return (null, ApiResult.Conflict($"the project has {MaxRules} immutable rules: delete some"));
            var made = await session.ScalarAsync(Insert, [.. ValuesOf(rule), rule.IsDisabled, rule.Priority, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", made ?? 0, token).ConfigureAwait(false);
            return (made, null);
        }, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/v2.0/projects/{call.Route("project_name_or_id")}/immutabletagrules/{id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(ImmutableRuleJsonContext.Default.ImmutableRuleJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (call.RouteNumber("immutable_rule_id") is not { } id) return NotFound(call);
        if (request.Id != id) return ApiResult.BadRequest("the immutable_rule_id doesn't match the id in the payload body of ImmutableRule");
        if (TryRead(request, call.Project!.Id, out var problem) is not { } rule) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(SelectSame, [.. ValuesOf(rule), id], token).ConfigureAwait(false) is not null) return Duplicate(call);
            if (await session.ExecuteAsync(Update, [.. ValuesOf(rule), rule.IsDisabled, rule.Priority, id], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "update", id, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("immutable_rule_id") is not { } id) return NotFound(call);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ExecuteAsync(Delete, [call.Project!.Id, id], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "delete", id, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private static ImmutableRule? TryRead(ImmutableRuleJson request, long projectId, out string problem)
    {
        var repositories = request.ScopeSelectors?.GetValueOrDefault("repository") ?? [];
        var tags = request.TagSelectors ?? [];
        problem = repositories.Count != 1 ? "scope_selectors must have exactly one selector under repository"
            : tags.Count != 1 ? "tag_selectors must have exactly one selector"
            : ProblemOf(repositories[0], "repoMatches", "repoExcludes") ?? ProblemOf(tags[0], "matches", "excludes") ?? "";
        if (problem.Length > 0) return null;
        return new ImmutableRule
        {
            ProjectId = projectId,
            IsDisabled = request.Disabled == true,
            RepositoryMatches = repositories[0].Decoration == "repoMatches",
            RepositoryPattern = repositories[0].Pattern!,
            TagMatches = tags[0].Decoration == "matches",
            TagPattern = tags[0].Pattern!,
            Priority = request.Priority ?? 0,
        };
    }

    private static string? ProblemOf(ImmutableSelector selector, string matches, string excludes)
    {
        if (selector.Kind is not (null or "doublestar")) return $"the kind of a selector must be doublestar, not {selector.Kind}";
        if (selector.Decoration != matches && selector.Decoration != excludes) return $"the decoration must be {matches} or {excludes}, not {selector.Decoration}";
        return Glob.TryParse(selector.Pattern ?? "", out _, out var problem) ? null : problem;
    }

    private static object?[] ValuesOf(ImmutableRule rule) => [rule.ProjectId, rule.RepositoryMatches, rule.RepositoryPattern, rule.TagMatches, rule.TagPattern];

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, long id, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "immutable-rule",
        Resource = id.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ProjectId = call.Project!.Id,
        ProjectName = call.Project.Name,
        Actor = call.Actor,
        Description = $"{operation} immutable rule {id} of project {call.Project.Name}",
    }, ct);

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"immutable rule {call.Route("immutable_rule_id")} not found");

    private static ApiResult Duplicate(ApiCall call) => ApiResult.Conflict($"immutable rule already exists in project {call.Project!.Name}");

    private static ImmutableRuleJson JsonOf(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Disabled = row.GetBoolean(1),
        Priority = row.GetInt32(2),
        Action = "immutable",
        Template = "immutable_template",
        ScopeSelectors = new Dictionary<string, IReadOnlyList<ImmutableSelector>>
        {
            ["repository"] = [new ImmutableSelector("doublestar", row.GetBoolean(3) ? "repoMatches" : "repoExcludes", row.GetString(4))],
        },
        TagSelectors = [new ImmutableSelector("doublestar", row.GetBoolean(5) ? "matches" : "excludes", row.GetString(6))],
    };

    private static readonly Statement Count = new("SELECT COUNT(*) FROM immutable_rules WHERE project_id = @0");

    private static readonly Statement SelectSame = new("""
        SELECT 1 FROM immutable_rules
        WHERE project_id = @0 AND repository_matches = @1 AND repository_pattern = @2 AND tag_matches = @3 AND tag_pattern = @4 AND id <> @5
        """);

    private static readonly Statement Insert = new("""
        INSERT INTO immutable_rules (project_id, repository_matches, repository_pattern, tag_matches, tag_pattern, is_disabled, priority, created_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7) RETURNING id
        """);

    private static readonly Statement Update = new("""
        UPDATE immutable_rules SET repository_matches = @1, repository_pattern = @2, tag_matches = @3, tag_pattern = @4, is_disabled = @5, priority = @6
        WHERE project_id = @0 AND id = @7
        """);

    private static readonly Statement Delete = new("DELETE FROM immutable_rules WHERE project_id = @0 AND id = @1");
}

/// <summary>An immutable rule as Harbor's JSON has it.</summary>
public sealed record ImmutableRuleJson
{
    public long? Id { get; init; }

    public int? Priority { get; init; }

    public bool? Disabled { get; init; }

    public string? Action { get; init; }

    public string? Template { get; init; }

    public IReadOnlyList<ImmutableSelector>? TagSelectors { get; init; }

    /// <summary>Under <c>repository</c>: which repositories.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<ImmutableSelector>>? ScopeSelectors { get; init; }
}

/// <summary>Selects names.</summary>
/// <param name="Kind"><c>doublestar</c>.</param>
/// <param name="Decoration">Whether those that match are meant, or all others.</param>
/// <param name="Pattern">The pattern.</param>
public sealed record ImmutableSelector(string? Kind, string? Decoration, string? Pattern);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImmutableRuleJson))]
[JsonSerializable(typeof(List<ImmutableRuleJson>))]
internal sealed partial class ImmutableRuleJsonContext : JsonSerializerContext;
