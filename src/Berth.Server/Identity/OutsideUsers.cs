using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Identity;

/// <summary>
/// Users whom somebody outside vouches for. At sign-in the row of the user is made or brought up to date, with the groups:
/// 1. nothing is written when all is as it was; 2. the user by the source's own id, 3. or by name; 4. or a new one; 5. the groups.
/// </summary>
/// <remarks>A name that a user of another source has is never taken over: the sign-in is refused.</remarks>
internal sealed class OutsideUsers(Database database, Users users, DomainEvents events, TimeProvider time)
{
    private const int MaxGroups = 1000;
    private const int MaxNameLength = 255;

    /// <summary>The user of a person; null when the name belongs to somebody else.</summary>
    /// <exception cref="ArgumentException">The text cannot be a name.</exception>
    public async Task<User?> EnsureAsync(OutsidePerson person, EventActor actor, CancellationToken ct)
    {
        if (!Users.IsName(person.Name)) throw new ArgumentException("not a user name", nameof(person));
        // 1.
        if (await database.ReadAsync(person, static (session, p, ct) => FindCurrentAsync(session, p, ct), ct).ConfigureAwait(false) is { } current)
            return await users.FindAsync(current, ct).ConfigureAwait(false);
        var id = await database.WriteAsync(Durability.Full, async (session, token) => await WriteAsync(session, person, actor, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        return id is null ? null : await users.FindAsync(id.Value, ct).ConfigureAwait(false);
    }

    /// <summary>The id of the user of a source's own id, or null.</summary>
    public ValueTask<long?> FindAsync(string source, string externalId, CancellationToken ct) =>
        database.ReadAsync((source, externalId), static (session, q, ct) => session.ScalarAsync(ByExternalId, [q.source, q.externalId], ct), ct);

    /// <summary>Takes the groups and the source's admin flag from a user whom the source does not know any more, and lets all credentials end.</summary>
    public Task<bool> ForgetAsync(long userId, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        // Without the source's id tokens that were made before are worth nothing; the next sign-in finds the user by name.
        if (await session.ExecuteAsync(Unlink, [Now(), userId], token).ConfigureAwait(false) == 0) return false;
        await session.ExecuteAsync(LeaveAll, [userId], token).ConfigureAwait(false);
        await Sessions.BrowserSessions.EndAllAsync(session, userId, token).ConfigureAwait(false);
        await Users.AnnounceAsync(session, userId, token).ConfigureAwait(false);
        return true;
    }, ct);

    /// <summary>The id of a group that somebody outside knows, which is made when it is not here; null when another group has its name.</summary>
    public Task<long?> EnsureGroupAsync(GroupKind kind, OutsideGroup group, EventActor actor, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
        var (id, isNew) = await GroupOfAsync(session, kind, group, token).ConfigureAwait(false);
        if (id is null || !isNew) return id;
        await events.RaiseAsync(session, new DomainEvent
        {
            Operation = "create",
            ResourceType = "usergroup",
            Resource = group.Name,
            Actor = actor,
            Description = $"group {group.Name} came from {kind.ToString().ToLowerInvariant()}",
        }, token).ConfigureAwait(false);
        return id;
    }, ct);

    private async ValueTask<long?> WriteAsync(DbSession session, OutsidePerson person, EventActor actor, CancellationToken ct)
    {
        // Sign-ins of one person at once, and groups that several of them bring, take turns.
        await session.ExecuteAsync(TakeTurns, [], ct).ConfigureAwait(false);
        // 2.
        var id = await session.ScalarAsync(ByExternalId, [person.Source, person.ExternalId], ct).ConfigureAwait(false);
        // 3.
        if (id is null && await session.ScalarAsync(IdByName, [person.Name], ct).ConfigureAwait(false) is { } named)
        {
            if (await session.ScalarAsync(person.TakesOverByName ? LinkableByName : UnlinkedByName, [named, person.Source], ct).ConfigureAwait(false) is null) return null;
            await session.ExecuteAsync(Link, [person.ExternalId, named], ct).ConfigureAwait(false);
            id = named;
        }
        // 4.
        if (id is not { } userId)
        {
            userId = (await session.ScalarAsync(Insert, [person.Name, person.Email ?? "", person.RealName ?? "", person.Source, person.ExternalId, Now()], ct).ConfigureAwait(false))!.Value;
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "create",
                ResourceType = "user",
                Resource = person.Name,
                Actor = actor,
                Description = $"user {person.Name} came from {person.Source}",
            }, ct).ConfigureAwait(false);
        }
        await session.ExecuteAsync(Update, [person.Email ?? "", person.RealName ?? "", person.IsAdmin ?? false, person.IsAdmin is not null, Now(), userId], ct).ConfigureAwait(false);
        // 5.
        if (person.Groups is { } groups) await SetGroupsAsync(session, userId, person.GroupKind, groups, ct).ConfigureAwait(false);
        await Users.AnnounceAsync(session, userId, ct).ConfigureAwait(false);
        return userId;
    }

    private async ValueTask SetGroupsAsync(DbSession session, long userId, GroupKind kind, IReadOnlyList<OutsideGroup> groups, CancellationToken ct)
    {
        await session.ExecuteAsync(LeaveKind, [userId, (int)kind], ct).ConfigureAwait(false);
        foreach (var group in Usable(groups))
        {
            if ((await GroupOfAsync(session, kind, group, ct).ConfigureAwait(false)).Id is { } groupId) await session.ExecuteAsync(Join, [groupId, userId], ct).ConfigureAwait(false);
        }
    }

    // The row of a group, which is made when there is none; null when another group has its name.
    private async ValueTask<(long? Id, bool IsNew)> GroupOfAsync(DbSession session, GroupKind kind, OutsideGroup group, CancellationToken ct)
    {
        var dn = StoredDn(group);
        var known = dn is null
            ? await session.ScalarAsync(GroupByName, [(int)kind, group.Name], ct).ConfigureAwait(false)
            : await session.ScalarAsync(GroupByDn, [dn], ct).ConfigureAwait(false);
        if (known is not null) return (known, false);
        // Two groups of a directory may have one name: the later one is told apart by where it lies.
        var name = dn is not null && dn.Length <= MaxNameLength && await session.ScalarAsync(GroupByName, [(int)kind, group.Name], ct).ConfigureAwait(false) is not null ? dn : group.Name;
        return (await session.ScalarAsync(InsertGroup, [name, (int)kind, dn, Now()], ct).ConfigureAwait(false), true);
    }

    // What cannot be kept is left out here and wherever it is compared with what is kept.
    private static IEnumerable<OutsideGroup> Usable(IReadOnlyList<OutsideGroup> groups) => groups.Where(g => g.Name.Length is > 0 and <= MaxNameLength).Take(MaxGroups);

    // The user when all that the source says is what the rows say.
    private static async ValueTask<long?> FindCurrentAsync(DbSession session, OutsidePerson person, CancellationToken ct)
    {
        long id;
        var row = await session.Command(State, person.Source, person.ExternalId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await using (row.ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            id = row.GetInt64(0);
            var isSame = (person.Email is null || row.GetString(1) == person.Email) && (person.RealName is null || row.GetString(2) == person.RealName)
                && (person.IsAdmin is null || row.GetBoolean(3) == person.IsAdmin);
            if (!isSame) return null;
        }
        if (person.Groups is not { } groups) return id;
        var have = new HashSet<string>(StringComparer.Ordinal);
        var reader = await session.Command(GroupsOfUser, id, (int)person.GroupKind).ExecuteReaderAsync(ct).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) have.Add(reader.GetString(0));
        }
        return have.SetEquals(Usable(groups).Select(g => StoredDn(g) ?? g.Name)) ? id : null;
    }

    // In the one spelling that groups made by hand are kept in, too (GroupsApi).
    private static string? StoredDn(OutsideGroup group) => group.Dn is { } dn ? Ldap.LdapDn.Normalize(dn) ?? dn.ToLowerInvariant() : null;

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823564)");
    private static readonly Statement State = new("SELECT id, email, real_name, is_admin_by_source FROM users WHERE source = @0 AND external_id = @1");
    private static readonly Statement ByExternalId = new("SELECT id FROM users WHERE source = @0 AND external_id = @1");
    private static readonly Statement IdByName = new("SELECT id FROM users WHERE name = @0");
    private static readonly Statement UnlinkedByName = new("SELECT 1 FROM users WHERE id = @0 AND source = @1 AND external_id IS NULL");
    private static readonly Statement LinkableByName = new("SELECT 1 FROM users WHERE id = @0 AND source = @1");
    private static readonly Statement Link = new("UPDATE users SET external_id = @0 WHERE id = @1");
    private static readonly Statement Unlink = new("UPDATE users SET external_id = NULL, is_admin_by_source = FALSE, updated_at = @0 WHERE id = @1 AND source <> 'local'");
    private static readonly Statement Insert = new("""
        INSERT INTO users (name, password_hash, is_admin, email, real_name, source, external_id, created_at, updated_at)
        VALUES (@0, '', FALSE, @1, @2, @3, @4, @5, @5) RETURNING id
        """);
    private static readonly Statement Update = new("""
        UPDATE users SET email = CASE WHEN @0 = '' THEN email ELSE @0 END, real_name = CASE WHEN @1 = '' THEN real_name ELSE @1 END,
          is_admin_by_source = CASE WHEN @3 THEN @2 ELSE is_admin_by_source END, updated_at = @4 WHERE id = @5
        """);
    private static readonly Statement GroupByDn = new("SELECT id FROM user_groups WHERE ldap_dn = @0");
    private static readonly Statement GroupByName = new("SELECT id FROM user_groups WHERE kind = @0 AND name = @1");
    private static readonly Statement InsertGroup = new("INSERT INTO user_groups (name, kind, ldap_dn, created_at) VALUES (@0, @1, @2, @3) ON CONFLICT DO NOTHING RETURNING id");
    private static readonly Statement Join = new("INSERT INTO user_group_members (group_id, user_id) VALUES (@0, @1) ON CONFLICT DO NOTHING");
    private static readonly Statement LeaveAll = new("DELETE FROM user_group_members WHERE user_id = @0 AND group_id IN (SELECT id FROM user_groups WHERE kind <> 0)");
    private static readonly Statement LeaveKind = new("DELETE FROM user_group_members WHERE user_id = @0 AND group_id IN (SELECT id FROM user_groups WHERE kind = @1)");
    private static readonly Statement GroupsOfUser = new(
        "SELECT COALESCE(g.ldap_dn, g.name) FROM user_group_members m JOIN user_groups g ON g.id = m.group_id WHERE m.user_id = @0 AND g.kind = @1");
}

/// <summary>A person as somebody outside describes them.</summary>
/// <param name="Source">Value of <see cref="User.Source"/>.</param>
/// <param name="ExternalId">The source's own id, which never changes hands.</param>
/// <param name="Name">User name.</param>
/// <param name="Email">E-mail address; null to keep what is known.</param>
/// <param name="RealName">Name for people; null to keep what is known.</param>
/// <param name="GroupKind">Kind of the groups.</param>
/// <param name="Groups">The groups; null when the source does not tell, and nothing is changed.</param>
/// <param name="IsAdmin">Administrator by the source; null when it does not tell.</param>
/// <param name="TakesOverByName">Whether a user of this source and name is the same person though the source's id has changed: a directory entry that was moved.</param>
internal sealed record OutsidePerson(
    string Source, string ExternalId, string Name, string? Email, string? RealName, GroupKind GroupKind, IReadOnlyList<OutsideGroup>? Groups, bool? IsAdmin,
    bool TakesOverByName = false);

/// <summary>A group as somebody outside names it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dn">Its distinguished name, for groups of a directory.</param>
internal sealed record OutsideGroup(string Name, string? Dn = null);
