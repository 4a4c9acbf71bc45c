using System.Data.Common;
using System.Text.Json.Serialization;
using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Access.PersonalTokens;

/// <summary>
/// Personal access tokens: users make, list and revoke their own; administrators list and revoke those of others, and make none for them. A token that is limited
/// makes none that can do more or lives longer than itself.
/// </summary>
internal sealed class PersonalTokensApi(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxTokens = 200;
    private const int MaxNameLength = 255;
    private const int MaxScopesLength = 4096;
    private const int MaxDays = 3650;

    private static readonly ListSql s_list = new("id, name, scopes, expires_at, last_used_at, created_at", "personal_tokens", new Dictionary<string, ListColumn>(StringComparer.Ordinal)
    {
        ["name"] = new("name"),
        ["createdat"] = new("created_at", ListColumnKind.Time),
        ["expiresat"] = new("expires_at", ListColumnKind.Time),
        ["lastusedat"] = new("last_used_at", ListColumnKind.Time),
    }, defaultOrder: "id", lastOrder: "id");

    public static IEnumerable<ApiOperation> Operations(PersonalTokensApi api) =>
    [
        new("GET", "/users/current/tokens", "listOwnTokens", "token", ApiNeed.SignedIn, api.ListOwnAsync)
        {
            Surface = ApiSurface.Berth, Summary = "List the own personal access tokens", Answer = typeof(TokenAnswer), IsList = true,
        },
        new("POST", "/users/current/tokens", "createOwnToken", "token", ApiNeed.SignedIn, api.CreateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Make a personal access token; its text is shown this once", Body = typeof(TokenRequest), Answer = typeof(TokenAnswer),
        },
        new("DELETE", "/users/current/tokens/{token_id}", "revokeOwnToken", "token", ApiNeed.SignedIn, api.RevokeOwnAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Revoke an own personal access token",
        },
        new("GET", "/users/{user_id}/tokens", "listTokensOfUser", "token", ApiNeed.Admin, api.ListOfUserAsync)
        {
            Surface = ApiSurface.Berth, Summary = "List a user's personal access tokens", Answer = typeof(TokenAnswer), IsList = true,
        },
        new("DELETE", "/users/{user_id}/tokens/{token_id}", "revokeTokenOfUser", "token", ApiNeed.Admin, api.RevokeOfUserAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Revoke a user's personal access token",
        },
    ];

    private Task<ApiResult> ListOwnAsync(ApiCall call, CancellationToken ct) =>
        call.Caller.Kind == CallerKind.User ? ListAsync(call, call.Caller.SubjectId, ct) : Task.FromResult(RobotsHaveNone);

    private Task<ApiResult> ListOfUserAsync(ApiCall call, CancellationToken ct) =>
        call.RouteNumber("user_id") is { } user ? ListAsync(call, user, ct) : Task.FromResult(NoNumber("user_id"));

    private async Task<ApiResult> ListAsync(ApiCall call, long user, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = s_list.Of("user_id = ?", user);
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        var (total, tokens) = await database.ReadAsync((query, list), static async (s, q, t) =>
            (await q.query.CountAsync(s, t).ConfigureAwait(false),
             await q.query.ReadAsync(s, q.list.Page, q.list.Sort, Read, t).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(tokens, total, TokenJson.Default.ListTokenAnswer);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.Kind != CallerKind.User) return RobotsHaveNone;
        var (isRead, wish, refusal) = await call.ReadAsync(TokenJson.Default.TokenRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(wish) is { } problem) return ApiResult.BadRequest(problem);
        var text = string.Join(',', wish.Scopes ?? []);
        if (!TokenScopes.TryParse(text, out var scopes, out var wrong)) return ApiResult.BadRequest(wrong);
        var now = time.GetUtcNow();
        var end = wish.DurationDays is { } days and > 0 ? now.AddDays(days) : (DateTimeOffset?)null;
        if (RefusalOf(call.Caller, text.Length == 0 ? null : scopes, end) is { } beyond) return beyond;

        var secret = PersonalTokenText.New();
        var user = call.Caller.SubjectId;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(CountOfUser, [user], token).ConfigureAwait(false) >= MaxTokens)
                return ApiResult.Conflict($"you have {MaxTokens} tokens: revoke one first");
            var id = await session.ScalarAsync(
                Insert, [user, wish.Name, PersonalTokenText.HashOf(secret), text, end?.ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            if (id is null) return ApiResult.Conflict($"you have a token with the name {wish.Name}");
            await RaiseAsync(session, call, "create", call.Caller.Name, wish.Name!, token).ConfigureAwait(false);
            var answer = new TokenAnswer
            {
                Id = id.Value,
                Name = wish.Name!,
                Token = secret,
                Scopes = WordsOf(text),
                ExpiresAt = ApiTime.Text(end?.ToUnixTimeMilliseconds()),
                CreatedAt = ApiTime.Text(now.ToUnixTimeMilliseconds()),
            };
            return ApiResult.Created($"{call.Http.Request.PathBase}{call.Operation.Route}/{id}", answer, TokenJson.Default.TokenAnswer);
        }, ct).ConfigureAwait(false);
    }

    private Task<ApiResult> RevokeOwnAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.Kind != CallerKind.User) return Task.FromResult(RobotsHaveNone);
        // A limited token revokes itself, and no other.
        return call.IsWholeUser || call.Caller.Id == $"pat:{call.RouteNumber("token_id")}"
            ? RevokeAsync(call, call.Caller.SubjectId, ct)
            : Task.FromResult(ApiResult.Forbidden("a limited token cannot revoke other tokens"));
    }

    private Task<ApiResult> RevokeOfUserAsync(ApiCall call, CancellationToken ct) =>
        call.RouteNumber("user_id") is { } user ? RevokeAsync(call, user, ct) : Task.FromResult(NoNumber("user_id"));

    private async Task<ApiResult> RevokeAsync(ApiCall call, long user, CancellationToken ct)
    {
        if (call.RouteNumber("token_id") is not { } id) return NoNumber("token_id");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var name = await session.Command(SelectName, id, user).ExecuteScalarAsync(token).ConfigureAwait(false) as string;
            if (name is null || await session.ExecuteAsync(Delete, [id, user], token).ConfigureAwait(false) == 0) return ApiResult.NotFound($"no token {id}");
            await session.AnnounceAsync(Topics.Credentials, "user:" + user, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", (await UserRows.FindAsync(session, user, token).ConfigureAwait(false))?.Name ?? "", name, token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    private static string? ProblemOf(TokenRequest wish)
    {
        if (wish.Name is not { Length: > 0 and <= MaxNameLength } || wish.Name.Any(char.IsControl)) return $"name must have 1 to {MaxNameLength} characters";
        if (wish.Scopes is { } scopes && (scopes.Sum(s => s.Length + 1) > MaxScopesLength || scopes.Any(s => string.IsNullOrWhiteSpace(s) || s.Contains(','))))
            return "scopes must be a list such as [\"library:read\", \"team:push\"]";
        return wish.DurationDays is null or -1 or (> 0 and <= MaxDays) ? null : $"duration_days must be 1 to {MaxDays}, or -1 for no end";
    }

    private static ApiResult? RefusalOf(Caller caller, TokenScopes? wanted, DateTimeOffset? end)
    {
        if (caller.Scopes is { } own && (wanted is null || !own.Covers(wanted)))
            return ApiResult.Forbidden("a limited token cannot make a token that can do more");
        return caller.EndsAt is { } ends && (end is null || end > ends) ? ApiResult.Forbidden("a token cannot make a token that lives longer") : null;
    }

    private static ApiResult RobotsHaveNone => ApiResult.Fail(ApiError.PreconditionFailed, "robots have no personal access tokens");

    private static ApiResult NoNumber(string name) => ApiResult.Fail(ApiError.Unprocessable, $"{name} in path must be a whole number");

    private static TokenAnswer Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Name = row.GetString(1),
        Scopes = WordsOf(row.GetString(2)),
        ExpiresAt = row.IsDBNull(3) ? null : ApiTime.Text(row.GetInt64(3)),
        LastUsedAt = row.IsDBNull(4) ? null : ApiTime.Text(row.GetInt64(4)),
        CreatedAt = ApiTime.Text(row.GetInt64(5)),
    };

    private static string[] WordsOf(string scopes) => scopes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string user, string name, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "token",
        Resource = $"{user}/{name}",
        Actor = call.Actor,
        Description = operation == "create" ? $"personal access token {name} of user {user} was made" : $"personal access token {name} of user {user} was revoked",
    }, ct);

    private static readonly Statement CountOfUser = new("SELECT COUNT(*) FROM personal_tokens WHERE user_id = @0");
    private static readonly Statement SelectName = new("SELECT name FROM personal_tokens WHERE id = @0 AND user_id = @1");
    private static readonly Statement Delete = new("DELETE FROM personal_tokens WHERE id = @0 AND user_id = @1");

    private static readonly Statement Insert = new("""
        INSERT INTO personal_tokens (user_id, name, token_hash, scopes, expires_at, created_at) VALUES (@0, @1, @2, @3, @4, @5) ON CONFLICT DO NOTHING RETURNING id
        """);
}

/// <summary>A personal access token that is to be made.</summary>
public sealed record TokenRequest
{
    /// <summary>Unique among the user's tokens.</summary>
    public string? Name { get; init; }

    /// <summary>What it is good for (<see cref="TokenScopes"/>); empty for all that the user may do.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Days until it ends; -1 or missing for no end.</summary>
    public int? DurationDays { get; init; }
}

/// <summary>A personal access token.</summary>
public sealed record TokenAnswer
{
    public required long Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The text, only when it was just made.</summary>
    public string? Token { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public string? ExpiresAt { get; init; }

    public string? LastUsedAt { get; init; }

    public required string CreatedAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(List<TokenAnswer>))]
internal sealed partial class TokenJson : JsonSerializerContext;
