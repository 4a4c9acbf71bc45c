using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Access.Members;

/// <summary>
/// Adds, changes and removes members, for both interfaces. Nobody gives a role that allows more than they may do themselves in the project, and nobody changes
/// or removes a member whose role does.
/// </summary>
internal sealed class MemberChanges(Database database, DomainEvents events, TimeProvider time)
{
    private const string TooMuch = "forbidden: the role allows more than you may do in this project";

    /// <summary>Finds whom a request names, inside the transaction.</summary>
    public delegate ValueTask<(Subject? Subject, ApiResult? Refusal)> Lookup(DbSession session, CancellationToken ct);

    /// <summary>Adds a member; the id, or why not.</summary>
    public async Task<(long Id, ApiResult? Refusal)> AddAsync(ApiCall call, Lookup find, string role, CancellationToken ct)
    {
        var own = await call.RightsInAsync(call.Project!, ct).ConfigureAwait(false);
        return await database.WriteAsync<(long, ApiResult?)>(Durability.Full, async (session, token) =>
        {
            var (subject, refusal) = await find(session, token).ConfigureAwait(false);
            if (subject is not { } found) return (0, refusal ?? ApiResult.NotFound("there is nobody of that name"));
            if (await Subjects.FindRoleAsync(session, role, token).ConfigureAwait(false) is not { } known) return (0, UnknownRole());
            if (!own.Set.Covers(known.Rights)) return (0, call.Refuse(TooMuch));
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (await MemberRows.AddAsync(session, call.Project!.Id, found, known.Id, now, token).ConfigureAwait(false) is not { } id)
                return (0, ApiResult.Conflict("The project member specified already exist"));
            await RaiseAsync(session, call, "create", found, $"add member {Subjects.WordOf(found.Kind)} {found.Name} with role {known.Name} to project {call.Project.Name}", token).ConfigureAwait(false);
            return (id, null);
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Gives a member another role.</summary>
    public async Task<ApiResult> SetRoleAsync(ApiCall call, long id, string role, CancellationToken ct)
    {
        var own = await call.RightsInAsync(call.Project!, ct).ConfigureAwait(false);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await MemberRows.FindAsync(session, call.Project!.Id, id, token).ConfigureAwait(false) is not { } member) return NotFound(call, id);
            if (await Subjects.FindRoleAsync(session, role, token).ConfigureAwait(false) is not { } known) return UnknownRole();
            if (!own.Set.Covers(known.Rights) || !await CoversAsync(session, own, member, token).ConfigureAwait(false)) return call.Refuse(TooMuch);
            await MemberRows.SetRoleAsync(session, call.Project.Id, id, known.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", member.Subject, $"change role of member {Subjects.WordOf(member.Subject.Kind)} {member.Subject.Name} of project {call.Project.Name} from {member.RoleName} to {known.Name}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Ends a membership.</summary>
    public async Task<ApiResult> DeleteAsync(ApiCall call, long id, CancellationToken ct)
    {
        var own = await call.RightsInAsync(call.Project!, ct).ConfigureAwait(false);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await MemberRows.FindAsync(session, call.Project!.Id, id, token).ConfigureAwait(false) is not { } member) return NotFound(call, id);
            if (!await CoversAsync(session, own, member, token).ConfigureAwait(false)) return call.Refuse(TooMuch);
            await MemberRows.DeleteAsync(session, call.Project.Id, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", member.Subject, $"remove member {Subjects.WordOf(member.Subject.Kind)} {member.Subject.Name} with role {member.RoleName} from project {call.Project.Name}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    /// <summary>The answer for a member that is not there.</summary>
    public static ApiResult NotFound(ApiCall call, long id) =>
        ApiResult.NotFound($"the project member is not found, project id {call.Project!.Id}, member id {id}");

    private static ApiResult UnknownRole() => ApiResult.BadRequest("Failed to update project member, role is not in 1,2,3");

    private static async ValueTask<bool> CoversAsync(DbSession session, ProjectRights own, MemberRow member, CancellationToken ct) =>
        await Subjects.FindRoleAsync(session, member.RoleId, ct).ConfigureAwait(false) is not { } role || own.Set.Covers(role.Rights);

    private async ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, Subject subject, string description, CancellationToken ct)
    {
        await session.AnnounceAsync(Topics.Access, "", ct).ConfigureAwait(false);
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = operation,
            ResourceType = "member",
            Resource = subject.Name,
            ProjectId = call.Project!.Id,
            ProjectName = call.Project.Name,
            Actor = call.Actor,
            Description = description,
        }, ct).ConfigureAwait(false);
    }
}
