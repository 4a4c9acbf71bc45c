using System.Text.Json.Serialization;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access.Roles;

/// <summary>Roles: the five that every installation has, and those that administrators make of single permissions.</summary>
internal sealed class RolesApi(Database database, DomainEvents events, TimeProvider time)
{
    private const int MaxRoles = 1000;
    private const int MaxNameLength = 255;

    /// <summary>What it answers.</summary>
    public static IEnumerable<ApiOperation> Operations(RolesApi api) =>
    [
        new(HttpMethods.Get, "/roles", "listRoles", "role", ApiNeed.SignedIn, api.ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "All roles with what they allow in a project.", Answer = typeof(RoleJson), IsList = true,
        },
        new(HttpMethods.Get, "/roles/permissions", "listRolePermissions", "role", ApiNeed.SignedIn, api.ListPermissionsAsync)
        {
            Surface = ApiSurface.Berth, Summary = "All permissions that a role may have.", Answer = typeof(string), IsList = true,
        },
        new(HttpMethods.Post, "/roles", "createRole", "role", ApiNeed.Admin, api.CreateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Makes a role.", Body = typeof(RoleRequest), Answer = typeof(RoleJson),
        },
        new(HttpMethods.Get, "/roles/{id}", "getRole", "role", ApiNeed.SignedIn, api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "One role.", Answer = typeof(RoleJson),
        },
        new(HttpMethods.Put, "/roles/{id}", "updateRole", "role", ApiNeed.Admin, api.UpdateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Changes a role that was made here; members have what it allows from the next request on.", Body = typeof(RoleRequest),
        },
        new(HttpMethods.Delete, "/roles/{id}", "deleteRole", "role", ApiNeed.Admin, api.DeleteAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Deletes a role that was made here and that nobody has.",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal, defaultSize: ApiPage.MaxSize)) return refusal!;
        var roles = await database.ReadAsync(0, static (s, _, t) => ReadAllAsync(s, t), ct).ConfigureAwait(false);
        return ApiResult.List([.. roles.Skip((int)Math.Min(page.Offset, int.MaxValue)).Take(page.Size)], roles.Count, RoleJsonContext.Default.ListRoleJson);
    }

    private Task<ApiResult> ListPermissionsAsync(ApiCall call, CancellationToken ct) =>
        Task.FromResult(ApiResult.List([.. ProjectPermissions.All.Select(p => p.ToString())], ProjectPermissions.All.Count, RoleJsonContext.Default.ListString));

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var roles = await database.ReadAsync(0, static (s, _, t) => ReadAllAsync(s, t), ct).ConfigureAwait(false);
        return roles.Find(r => r.Id == call.RouteNumber("id")) is { } role ? ApiResult.Ok(role, RoleJsonContext.Default.RoleJson) : NotFound(call);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(RoleJsonContext.Default.RoleRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!TryRead(request, out var permissions, out var problem)) return ApiResult.BadRequest(problem);
        var (made, failure) = await database.WriteAsync<(RoleJson?, ApiResult?)>(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
            if (await IsTakenAsync(session, request.Name!, 0, token).ConfigureAwait(false)) return (null, ApiResult.Conflict($"a role named {request.Name} already exists"));
            if (await session.ScalarAsync(CountAll, [], token).ConfigureAwait(false) >= MaxRoles) return (null, ApiResult.Conflict($"there are {MaxRoles} roles: delete some"));
            var id = Math.Max(BuiltInRoles.FirstCustomId, 1 + (await session.ScalarAsync(SelectLast, [], token).ConfigureAwait(false) ?? 0));
            await session.ExecuteAsync(Insert, [id, request.Name, request.Description ?? "", string.Join(',', permissions), time.GetUtcNow().ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "create", request.Name!, token).ConfigureAwait(false);
            return (new RoleJson(id, request.Name!, request.Description ?? "", false, permissions), null);
        }, ct).ConfigureAwait(false);
        return failure ?? ApiResult.Created($"/api/berth/v1/roles/{made!.Id}", made, RoleJsonContext.Default.RoleJson);
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, request, refusal) = await call.ReadAsync(RoleJsonContext.Default.RoleRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (call.RouteNumber("id") is not { } id) return NotFound(call);
        if (BuiltInRoles.Find(id) is { } fixedRole) return BuiltIn(fixedRole);
        if (!TryRead(request, out var permissions, out var problem)) return ApiResult.BadRequest(problem);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await IsTakenAsync(session, request.Name!, id, token).ConfigureAwait(false)) return ApiResult.Conflict($"a role named {request.Name} already exists");
            if (await session.ExecuteAsync(Update, [id, request.Name, request.Description ?? "", string.Join(',', permissions)], token).ConfigureAwait(false) == 0) return NotFound(call);
            await RaiseAsync(session, call, "update", request.Name!, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("id") is not { } id) return NotFound(call);
        if (BuiltInRoles.Find(id) is { } fixedRole) return BuiltIn(fixedRole);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
            if (await Subjects.FindRoleAsync(session, id, token).ConfigureAwait(false) is not { } role) return NotFound(call);
            if (await session.ScalarAsync(SelectUse, [id], token).ConfigureAwait(false) is { } uses and > 0)
                return ApiResult.Fail(ApiError.PreconditionFailed, $"the role is given {uses} times to members or in access rules: give them another one first");
            await session.ExecuteAsync(Delete, [id], token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", role.Name, token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    private static bool TryRead(RoleRequest request, out List<string> permissions, out string problem)
    {
        permissions = [];
        problem = "";
        if (request.Name is not { Length: > 0 and <= MaxNameLength } name || name.Trim() != name || name.Any(char.IsControl) || long.TryParse(name, out _))
            problem = $"name must have 1 to {MaxNameLength} characters, no blanks around them, and be no number";
        else if (BuiltInRoles.All.Any(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))) problem = $"{name} is the name of a role that every installation has";
        foreach (var text in request.Permissions ?? [])
        {
            var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
            if (colon < 0 || ProjectPermissions.Find(text![..colon], text[(colon + 1)..]) is not { } permission)
                problem = $"{text} is no permission in a project: /api/berth/v1/roles/permissions lists them";
            else if (!permissions.Contains(permission.ToString())) permissions.Add(permission.ToString());
        }
        if (problem.Length == 0 && permissions.Count == 0) problem = "permissions must name at least one permission";
        return problem.Length == 0;
    }

    private static async ValueTask<List<RoleJson>> ReadAllAsync(DbSession session, CancellationToken ct)
    {
        var roles = BuiltInRoles.All.OrderBy(r => r.Id).Select(r => new RoleJson(r.Id, r.Name, "", true, [.. r.Rights.Members(PermissionScope.Project).Select(p => p.ToString())])).ToList();
        await using var rows = await session.Command(SelectAll).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            roles.Add(new RoleJson(rows.GetInt64(0), rows.GetString(1), rows.GetString(2), false, rows.GetString(3).Split(',', StringSplitOptions.RemoveEmptyEntries)));
        return roles;
    }

    private static async ValueTask<bool> IsTakenAsync(DbSession session, string name, long except, CancellationToken ct) =>
        await session.ScalarAsync(SelectTaken, [name, except], ct).ConfigureAwait(false) is not null;

    private async ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string name, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent { Operation = operation, ResourceType = "role", Resource = name, Actor = call.Actor, Description = $"{operation} role: {name}" }, ct).ConfigureAwait(false);
    }

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"role {call.Route("id")} not found");

    private static ApiResult BuiltIn(BuiltInRole role) => ApiResult.Forbidden($"every installation has the role {role.Name} as it is: make one of your own");

    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823564)");
    private static readonly Statement CountAll = new("SELECT COUNT(*) FROM roles");
    private static readonly Statement SelectLast = new("""
        SELECT MAX(id) FROM (SELECT id FROM roles UNION ALL SELECT role_id FROM project_members UNION ALL SELECT subject_id FROM access_rules WHERE subject_kind = 4) AS used
        """);
    private static readonly Statement SelectAll = new("SELECT id, name, description, permissions FROM roles ORDER BY id");
    private static readonly Statement SelectTaken = new("SELECT 1 FROM roles WHERE name = @0 AND id <> @1");
    private static readonly Statement Insert = new("INSERT INTO roles (id, name, description, permissions, created_at) VALUES (@0, @1, @2, @3, @4)");
    private static readonly Statement Update = new("UPDATE roles SET name = @1, description = @2, permissions = @3 WHERE id = @0");
    private static readonly Statement Delete = new("DELETE FROM roles WHERE id = @0");

    private static readonly Statement SelectUse = new("""
        SELECT (SELECT COUNT(*) FROM project_members WHERE role_id = @0) + (SELECT COUNT(*) FROM access_rules WHERE subject_kind = 4 AND subject_id = @0)
        """);
}

/// <summary>A role that is to be made or changed.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Description">For people.</param>
/// <param name="Permissions"><c>resource:action</c>.</param>
public sealed record RoleRequest(string? Name, string? Description, IReadOnlyList<string?>? Permissions);

/// <summary>A role.</summary>
public sealed record RoleJson(long Id, string Name, string Description, bool IsBuiltIn, IReadOnlyList<string> Permissions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RoleRequest))]
[JsonSerializable(typeof(RoleJson))]
[JsonSerializable(typeof(List<RoleJson>))]
[JsonSerializable(typeof(List<string>))]
internal sealed partial class RoleJsonContext : JsonSerializerContext;
