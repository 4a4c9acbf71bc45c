using System.Data.Common;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Identity;

/// <summary>
/// Harbor's operations on users that need no secret: list, search, make, look at, change the profile, remove. Users of the installation are seen by
/// administrators and by robots that were given it; everybody sees and changes the own account.
/// </summary>
internal sealed class UsersApi(Database database, DomainEvents events, RuntimeSettings settings, PasswordRules rules, TimeProvider time)
{
    private static readonly ListSql s_list = new(UserRows.Columns, "users", new Dictionary<string, ListColumn>(StringComparer.Ordinal)
    {
        ["userid"] = new("id", ListColumnKind.Number),
        ["username"] = new("name"),
        ["email"] = new("email"),
        ["realname"] = new("real_name"),
        ["comment"] = new("comment"),
        ["sysadminflag"] = new("is_admin", ListColumnKind.Flag),
        ["source"] = new("source"),
        ["creationtime"] = new("created_at", ListColumnKind.Time),
        ["updatetime"] = new("updated_at", ListColumnKind.Time),
    }, defaultOrder: "name", lastOrder: "id");

    private static readonly ListSql s_search = new("id, name", "users", new Dictionary<string, ListColumn>(StringComparer.Ordinal), "LENGTH(name), name", "id");

    public static IEnumerable<ApiOperation> Operations(UsersApi api) =>
    [
        new("GET", "/users", "listUsers", "user", ApiNeed.System(SystemPermissions.UserList), api.ListAsync)
        {
            Summary = "List users, without the built-in administrator", Answer = typeof(UserAnswer), IsList = true, Query = ["username", "email"],
        },
        new("POST", "/users", "createUser", "user", ApiNeed.Inside, api.CreateAsync)
        {
            Summary = "Make a local user; for those who may, and for anybody on the sign-in page while self-registration is on", Body = typeof(NewUser),
        },
        new("GET", "/users/search", "searchUsers", "user", ApiNeed.SignedIn, api.SearchAsync)
        {
            Summary = "Find users by a part of the name", Answer = typeof(UserName), IsList = true, Query = ["username"],
        },
        new("GET", "/users/current", "getCurrentUserInfo", "user", ApiNeed.SignedIn, api.CurrentAsync)
        {
            Summary = "Who am I", Answer = typeof(UserAnswer), IsOpenBeforePasswordChange = true,
        },
        new("GET", "/users/{user_id}", "getUser", "user", ApiNeed.Inside, api.GetAsync)
        {
            Summary = "Look at a user: oneself, or with the permission", Answer = typeof(UserAnswer),
        },
        new("PUT", "/users/{user_id}", "updateUserProfile", "user", ApiNeed.Inside, api.UpdateAsync)
        {
            Summary = "Change name, mail address and comment of a local user: oneself, or with the permission", Body = typeof(UserProfile),
        },
        new("DELETE", "/users/{user_id}", "deleteUser", "user", ApiNeed.System(SystemPermissions.UserDelete), api.DeleteAsync) { Summary = "Remove a user" },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var query = s_list.Of("id <> ?", Users.BuiltInAdminId);
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        if (call.Query("username") is { Length: > 0 } name) query.AddContains("name", name);
        if (call.Query("email") is { Length: > 0 } email) query.AddContains("email", email);
        var (total, users) = await database.ReadAsync((query, list), static async (s, q, t) =>
            (await q.query.CountAsync(s, t).ConfigureAwait(false),
             await q.query.ReadAsync(s, q.list.Page, q.list.Sort, UserRows.Read, t).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(users.ConvertAll(u => UserAnswer.Of(u)), total, IdentityJson.Default.ListUserAnswer);
    }

    // Harbor gives the best matches of the first page whatever the page, the shortest names first.
    private async Task<ApiResult> SearchAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        if (call.Query("username") is not { Length: > 0 } name) return ApiResult.Fail(ApiError.Unprocessable, "username in query is required");
        var query = s_search.Of("id <> ?", Users.BuiltInAdminId);
        query.AddContains("name", name);
        var (total, users) = await database.ReadAsync((query, page), static async (s, q, t) =>
            (await q.query.CountAsync(s, t).ConfigureAwait(false),
             await q.query.ReadAsync(s, new ApiPage(1, q.page.Size), [], NameOf, t).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(users, total, IdentityJson.Default.ListUserName);
    }

    private static UserName NameOf(DbDataReader row) => new(row.GetInt64(0), row.GetString(1));

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        if (await RefusalOfCreateAsync(call, ct).ConfigureAwait(false) is { } denied) return denied;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.NewUser, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!rules.Allow(wish.Password)) return ApiResult.BadRequest(rules.Text);
        if (UserProfileRules.ProblemOf(wish) is { } problem) return ApiResult.BadRequest(problem);
        // The name of a robot would be asked for as one at sign-in.
        if (wish.Username!.StartsWith(await settings.ReadAsync(RuntimeSettingTable.RobotNamePrefix, ct).ConfigureAwait(false), StringComparison.Ordinal)) return ApiResult.BadRequest("username contains illegal characters");

        var user = new User
        {
            Name = wish.Username,
            Email = wish.Email!,
            RealName = wish.Realname!,
            Comment = wish.Comment ?? "",
            PasswordHash = Passwords.Hash(wish.Password!),
            CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await UserRows.TakeTurnsAsync(session, token).ConfigureAwait(false);
            if (await UserRows.IsTakenAsync(session, user.Name, user.Email, 0, token).ConfigureAwait(false)) return 0L;
            var added = await UserRows.AddAsync(session, user, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", user.Name, $"user {user.Name} was made", token).ConfigureAwait(false);
            return added;
        }, ct).ConfigureAwait(false);
        return id == 0
            ? ApiResult.Conflict($"user {user.Name} or email {user.Email} already exists")
            : ApiResult.Created($"{call.Http.Request.PathBase}{call.Operation.Route}/{id}");
    }

    private async Task<ApiResult?> RefusalOfCreateAsync(ApiCall call, CancellationToken ct)
    {
        if (await call.MayAsync(SystemPermissions.UserCreate, ct).ConfigureAwait(false)) return null;
        if (!await settings.ReadAsync(RuntimeSettingTable.SelfRegistration, ct).ConfigureAwait(false)) return call.Refuse();
        // Only the sign-in page may, by the browser's own word: pages of others must not make accounts with somebody's browser.
        return call.Caller.IsAnonymous && CrossSite.IsFromHere(call.Http.Request)
            ? null
            : ApiResult.Forbidden("self-registration cannot be triggered via API");
    }

    private async Task<ApiResult> CurrentAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.Kind != CallerKind.User) return ApiResult.Fail(ApiError.PreconditionFailed, "get current user not available for security context: robot");
        return await FindAsync(call.Caller.SubjectId, ct).ConfigureAwait(false) is { } user
            ? ApiResult.Ok(UserAnswer.Of(user, isSelf: true), IdentityJson.Default.UserAnswer)
            : Missing(call.Caller.SubjectId);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (call.RouteNumber("user_id") is not { } id) return NoNumber;
        var isSelf = IsSelf(call, id);
        if (!isSelf && !await call.MayAsync(SystemPermissions.UserRead, ct).ConfigureAwait(false)) return call.Refuse();
        return await FindAsync(id, ct).ConfigureAwait(false) is { } user
            ? ApiResult.Ok(UserAnswer.Of(user, isSelf), IdentityJson.Default.UserAnswer)
            : Missing(id);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (call.RouteNumber("user_id") is not { } id) return NoNumber;
        if (await RefusalOfChangeAsync(call, id, ct).ConfigureAwait(false) is { } denied) return denied;
        var (isRead, profile, refusal) = await call.ReadAsync(IdentityJson.Default.UserProfile, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (UserProfileRules.ProblemOf(profile) is { } problem) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await UserRows.TakeTurnsAsync(session, token).ConfigureAwait(false);
            if (await UserRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } user) return Missing(id);
            if (RefusalOf(call, user) is { } refused) return refused;
            if (await UserRows.IsTakenAsync(session, "", profile.Email!, id, token).ConfigureAwait(false))
                return ApiResult.Conflict($"user {user.Name} or email {profile.Email} already exists");
            (user.Email, user.RealName, user.Comment, user.UpdatedAt) = (profile.Email!, profile.Realname!, profile.Comment ?? "", time.GetUtcNow().ToUnixTimeMilliseconds());
            await UserRows.UpdateAsync(session, user, token).ConfigureAwait(false);
            await Users.AnnounceAsync(session, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", user.Name, $"profile of user {user.Name} was changed", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("user_id") is not { } id) return NoNumber;
        if (id == Users.BuiltInAdminId || call.Caller.Kind == CallerKind.User && call.Caller.SubjectId == id)
            return ApiResult.Forbidden($"User with ID {id} cannot be deleted");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await UserRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } user) return Missing(id);
            if (IsAboveCaller(call, user)) return call.Refuse($"only an administrator may remove the administrator {user.Name}");
            await UserRows.DeleteAsync(session, id, token).ConfigureAwait(false);
            await Users.AnnounceAsync(session, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", user.Name, $"user {user.Name} was removed", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    internal static ApiResult NoNumber => ApiResult.Fail(ApiError.Unprocessable, "user_id in path must be a whole number");

    internal static ApiResult Missing(long id) => ApiResult.NotFound($"user {id} not found");

    internal static bool IsSelf(ApiCall call, long id) => call.Caller.Kind == CallerKind.User && call.Caller.SubjectId == id;

    /// <summary>Whether the caller may not change an account of this kind at all: oneself with the whole account's power, others with the permission.</summary>
    internal static async ValueTask<ApiResult?> RefusalOfChangeAsync(ApiCall call, long id, CancellationToken ct)
    {
        if (IsSelf(call, id) && call.IsWholeUser) return null;
        return await call.MayAsync(SystemPermissions.UserUpdate, ct).ConfigureAwait(false) ? null : call.Refuse();
    }

    /// <summary>Why this account cannot be changed here, or null.</summary>
    internal static ApiResult? RefusalOf(ApiCall call, User user)
    {
        if (user.Source != User.LocalSource) return ApiResult.Forbidden($"User with ID {user.Id} can't be updated");
        return IsAboveCaller(call, user) && !IsSelf(call, user.Id) ? call.Refuse($"only an administrator may change the administrator {user.Name}") : null;
    }

    /// <summary>A robot that manages users must not get at administrators: it would become one.</summary>
    internal static bool IsAboveCaller(ApiCall call, User user) => (user.IsAdmin || user.IsAdminBySource) && !call.IsAdmin;

    private ValueTask<User?> FindAsync(long id, CancellationToken ct) => database.ReadAsync(id, static (s, i, t) => UserRows.FindAsync(s, i, t), ct);

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string name, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent { Operation = operation, ResourceType = "user", Resource = name, Actor = call.Actor, Description = description }, ct);
}
