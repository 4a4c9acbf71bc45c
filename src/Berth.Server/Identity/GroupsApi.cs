using System.Data.Common;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Identity;

/// <summary>
/// Harbor's operations on groups of users, for all kinds of groups, and the members of local groups. Who is in a group from outside is decided outside, at
/// each sign-in; such a group is made here so that it can be given roles before anybody of it has come.
/// </summary>
internal sealed class GroupsApi(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxNameLength = 255;

    private static readonly ListSql s_list = new("id, name, kind, ldap_dn", "user_groups", new Dictionary<string, ListColumn>(StringComparer.Ordinal), "id", "id");
    private static readonly ListSql s_search = new("id, name, kind, ldap_dn", "user_groups", new Dictionary<string, ListColumn>(StringComparer.Ordinal), "LENGTH(name), name", "id");
    private static readonly ListSql s_members = new(
        "u.id, u.name", "user_group_members m JOIN users u ON u.id = m.user_id", new Dictionary<string, ListColumn>(StringComparer.Ordinal) { ["username"] = new("u.name") }, "u.name", "u.id");

    public static IEnumerable<ApiOperation> Operations(GroupsApi api) =>
    [
        new("GET", "/usergroups", "listUserGroups", "usergroup", ApiNeed.System(SystemPermissions.UserGroupList), api.ListAsync)
        {
            Summary = "List groups", Answer = typeof(GroupAnswer), IsList = true, Query = ["ldap_group_dn", "group_name"],
        },
        new("POST", "/usergroups", "createUserGroup", "usergroup", ApiNeed.System(SystemPermissions.UserGroupCreate), api.CreateAsync)
        {
            Summary = "Make a group: type 0 local, 1 LDAP, 2 of a proxy, 3 OpenID", Body = typeof(GroupRequest),
        },
        new("GET", "/usergroups/search", "searchUserGroups", "usergroup", ApiNeed.SignedIn, api.SearchAsync)
        {
            Summary = "Find groups by a part of the name", Answer = typeof(GroupName), IsList = true, Query = ["groupname"],
        },
        new("GET", "/usergroups/{group_id}", "getUserGroup", "usergroup", ApiNeed.System(SystemPermissions.UserGroupRead), api.GetAsync)
        {
            Summary = "Look at a group", Answer = typeof(GroupAnswer),
        },
        new("PUT", "/usergroups/{group_id}", "updateUserGroup", "usergroup", ApiNeed.System(SystemPermissions.UserGroupUpdate), api.RenameAsync)
        {
            Summary = "Rename a group", Body = typeof(GroupRequest),
        },
        new("DELETE", "/usergroups/{group_id}", "deleteUserGroup", "usergroup", ApiNeed.System(SystemPermissions.UserGroupDelete), api.DeleteAsync)
        {
            Summary = "Remove a group with its roles",
        },
        new("GET", "/groups/{group_id}/members", "listGroupMembers", "usergroup", ApiNeed.System(SystemPermissions.UserGroupRead), api.ListMembersAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Who is in a group; of groups from outside, who was at the last sign-in", Answer = typeof(UserName), IsList = true,
        },
        new("POST", "/groups/{group_id}/members", "addGroupMember", "usergroup", ApiNeed.System(SystemPermissions.UserGroupUpdate), api.AddMemberAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Put a user into a local group", Body = typeof(GroupMember),
        },
        new("DELETE", "/groups/{group_id}/members/{user_id}", "removeGroupMember", "usergroup", ApiNeed.System(SystemPermissions.UserGroupUpdate), api.RemoveMemberAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Take a user out of a local group",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var query = s_list.Of();
        if (call.Query("group_name") is { Length: > 0 } name) query.AddContains("name", name);
        if (call.Query("ldap_group_dn") is { Length: > 0 } dn) query.Add("ldap_dn = ?", StoredDn(dn));
        var (total, groups) = await ReadAsync(query, page, ct).ConfigureAwait(false);
        return ApiResult.List(groups, total, IdentityJson.Default.ListGroupAnswer);
    }

    private async Task<ApiResult> SearchAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        if (!call.Http.Request.Query.ContainsKey("groupname")) return ApiResult.Fail(ApiError.Unprocessable, "groupname in query is required");
        if (call.Query("groupname") is not { Length: > 0 } name) return ApiResult.BadRequest("need to provide groupname to search user group");
        var query = s_search.Of();
        query.AddContains("name", name);
        var (total, groups) = await ReadAsync(query, page with { Number = 1 }, ct).ConfigureAwait(false);
        return ApiResult.List(groups.ConvertAll(g => new GroupName(g.Id, g.GroupName, g.GroupType)), total, IdentityJson.Default.ListGroupName);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.GroupRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(wish) is { } problem) return ApiResult.BadRequest(problem);
        var dn = wish.GroupType == (int)GroupKind.Ldap ? StoredDn(wish.LdapGroupDn!) : null;
        var id = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await session.ScalarAsync(Insert, [wish.GroupName, wish.GroupType, dn, time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false) is not { } added) return 0L;
            await RaiseAsync(session, call, "create", wish.GroupName!, $"group {wish.GroupName} was made", token).ConfigureAwait(false);
            return added;
        }, ct).ConfigureAwait(false);
        return id == 0
            ? ApiResult.Conflict($"duplicate user group, group name:{wish.GroupName}, group type: {wish.GroupType}, ldap group DN: {wish.LdapGroupDn}")
            : ApiResult.Created($"{call.Http.Request.PathBase}{call.Operation.Route}/{id}");
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        return await FindAsync(id, ct).ConfigureAwait(false) is { } group ? ApiResult.Ok(group, IdentityJson.Default.GroupAnswer) : Missing(id);
    }

    private async Task<ApiResult> RenameAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.GroupRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (string.IsNullOrEmpty(wish.GroupName) || wish.GroupName.Length > MaxNameLength) return ApiResult.BadRequest("group_name must have 1 to 255 characters");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ReadAsync(session, id, token).ConfigureAwait(false) is not { } group) return Missing(id);
            if (await session.ScalarAsync(FindOther, [group.GroupType, wish.GroupName, id], token).ConfigureAwait(false) is not null)
                return ApiResult.Conflict($"duplicate user group, group name:{wish.GroupName}, group type: {group.GroupType}, ldap group DN: {group.LdapGroupDn}");
            await session.ExecuteAsync(Rename, [id, wish.GroupName], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", wish.GroupName, $"group {group.GroupName} was renamed to {wish.GroupName}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    // Harbor knows no missing group here: what is to be gone is gone.
    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ReadAsync(session, id, token).ConfigureAwait(false) is not { } group) return ApiResult.Done;
            await session.ExecuteAsync(DeleteRoles, [id], token).ConfigureAwait(false);
            await session.ExecuteAsync(DeleteRules, [id], token).ConfigureAwait(false);
            await session.ExecuteAsync(Delete, [id], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Access, "", token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", group.GroupName, $"group {group.GroupName} was removed", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> ListMembersAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        if (await FindAsync(id, ct).ConfigureAwait(false) is null) return Missing(id);
        var query = s_members.Of("m.group_id = ?", id);
        if (query.TryAdd(list.Filters) is { } problem) return ApiResult.BadRequest(problem);
        var (total, members) = await database.ReadAsync((query, list), static async (s, q, t) =>
            (await q.query.CountAsync(s, t).ConfigureAwait(false),
             await q.query.ReadAsync(s, q.list.Page, q.list.Sort, static r => new UserName(r.GetInt64(0), r.GetString(1)), t).ConfigureAwait(false)), ct).ConfigureAwait(false);
        return ApiResult.List(members, total, IdentityJson.Default.ListUserName);
    }

    private async Task<ApiResult> AddMemberAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.GroupMember, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (wish.UserId is null && string.IsNullOrEmpty(wish.Username)) return ApiResult.BadRequest("say who: user_id or username");
        return await ChangeMembersAsync(call, id, async (session, group, token) =>
        {
            var user = wish.UserId is { } row
                ? await UserRows.FindAsync(session, row, token).ConfigureAwait(false)
                : await UserRows.FindAsync(session, wish.Username!, token).ConfigureAwait(false);
            if (user is null) return ApiResult.NotFound("no such user");
            if (await session.ExecuteAsync(AddMember, [id, user.Id], token).ConfigureAwait(false) == 0) return ApiResult.Conflict($"user {user.Name} is in the group");
            await RaiseAsync(session, call, "update", group.GroupName, $"user {user.Name} was put into group {group.GroupName}", token).ConfigureAwait(false);
            return ApiResult.Created($"{call.Http.Request.PathBase}/api/berth/v1/groups/{id}/members/{user.Id}");
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> RemoveMemberAsync(ApiCall call, CancellationToken ct)
    {
        if (IdOf(call, out var id) is { } wrong) return wrong;
        if (call.RouteNumber("user_id") is not { } user) return UsersApi.NoNumber;
        return await ChangeMembersAsync(call, id, async (session, group, token) =>
        {
            if (await session.ExecuteAsync(RemoveMember, [id, user], token).ConfigureAwait(false) == 0) return ApiResult.NotFound($"user {user} is not in the group");
            await RaiseAsync(session, call, "update", group.GroupName, $"user {user} was taken out of group {group.GroupName}", token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    private Task<ApiResult> ChangeMembersAsync(ApiCall call, long id, Func<DbSession, GroupAnswer, CancellationToken, Task<ApiResult>> change, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ReadAsync(session, id, token).ConfigureAwait(false) is not { } group) return Missing(id);
            if (group.GroupType != (int)GroupKind.Local) return ApiResult.Conflict("only the members of local groups are kept here; others come from their source");
            var result = await change(session, group, token).ConfigureAwait(false);
            if (result.Status < StatusCodes.Status300MultipleChoices) await session.AnnounceAsync(Topics.Access, "", token).ConfigureAwait(false);
            return result;
        }, ct);

    private static string? ProblemOf(GroupRequest wish)
    {
        if (string.IsNullOrEmpty(wish.GroupName) || wish.GroupName.Length > MaxNameLength) return "group_name must have 1 to 255 characters";
        if (wish.GroupName.Any(char.IsControl)) return "group_name contains illegal characters";
        if (!Enum.IsDefined((GroupKind)wish.GroupType)) return "group_type must be 0 (local), 1 (LDAP), 2 (HTTP) or 3 (OIDC)";
        if (wish.GroupType != (int)GroupKind.Ldap) return null;
        return LdapDn.Normalize(wish.LdapGroupDn ?? "") is { Length: > 0 and <= 1024 } ? null : $"invalid DN syntax. DN: {wish.LdapGroupDn}";
    }

    private static string StoredDn(string dn) => LdapDn.Normalize(dn) ?? "";

    private static ApiResult? IdOf(ApiCall call, out long id)
    {
        id = call.RouteNumber("group_id") ?? -1;
        return id < 0 ? ApiResult.Fail(ApiError.Unprocessable, "group_id in path must be a whole number")
            : id == 0 ? ApiResult.BadRequest("the group id should be provided")
            : null;
    }

    private static ApiResult Missing(long id) => ApiResult.NotFound($"the user group with id {id} is not found");

    private ValueTask<GroupAnswer?> FindAsync(long id, CancellationToken ct) => database.ReadAsync(id, static (s, i, t) => ReadAsync(s, i, t), ct);

    private static async ValueTask<GroupAnswer?> ReadAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var row = await session.Command(SelectOne, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? Read(row) : null;
    }

    private ValueTask<(long Total, List<GroupAnswer> Groups)> ReadAsync(ListSql.Query query, ApiPage page, CancellationToken ct) =>
        database.ReadAsync((query, page), static async (s, q, t) =>
            (await q.query.CountAsync(s, t).ConfigureAwait(false), await q.query.ReadAsync(s, q.page, [], Read, t).ConfigureAwait(false)), ct);

    private static GroupAnswer Read(DbDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetInt32(2), row.IsDBNull(3) ? null : row.GetString(3));

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string name, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent { Operation = operation, ResourceType = "usergroup", Resource = name, Actor = call.Actor, Description = description }, ct);

    private static readonly Statement SelectOne = new("SELECT id, name, kind, ldap_dn FROM user_groups WHERE id = @0");
    private static readonly Statement FindOther = new("SELECT 1 FROM user_groups WHERE kind = @0 AND name = @1 AND id <> @2");
    private static readonly Statement Insert = new("INSERT INTO user_groups (name, kind, ldap_dn, created_at) VALUES (@0, @1, @2, @3) ON CONFLICT DO NOTHING RETURNING id");
    private static readonly Statement Rename = new("UPDATE user_groups SET name = @1 WHERE id = @0");
    private static readonly Statement Delete = new("DELETE FROM user_groups WHERE id = @0");
    private static readonly Statement DeleteRoles = new("DELETE FROM project_members WHERE subject_kind = 2 AND subject_id = @0");
    private static readonly Statement DeleteRules = new("DELETE FROM access_rules WHERE subject_kind = 2 AND subject_id = @0");
    private static readonly Statement AddMember = new("INSERT INTO user_group_members (group_id, user_id) VALUES (@0, @1) ON CONFLICT DO NOTHING");
    private static readonly Statement RemoveMember = new("DELETE FROM user_group_members WHERE group_id = @0 AND user_id = @1");
}
