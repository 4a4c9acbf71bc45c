using Berth.Server.Identity;
using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.SignIn;

/// <summary>Makes users of people in the directory, and keeps their groups as the directory has them.</summary>
internal sealed class LdapUsers(LdapSource source, SignInSettings settings, OutsideUsers outside, Database database)
{
    /// <summary>Value of <see cref="User.Source"/> for people of the directory.</summary>
    public const string Source = "ldap";

    private const int Batch = 100;

    /// <summary>The directory in force; null when none is configured.</summary>
    public async ValueTask<LdapDirectory?> FindDirectoryAsync(CancellationToken ct)
    {
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        return source.Current;
    }

    /// <summary>The user of a person whom the directory has vouched for; null when the name is another's.</summary>
    public Task<User?> EnsureAsync(LdapSignIn.Accepted person, EventActor actor, CancellationToken ct) => outside.EnsureAsync(
        new OutsidePerson(
            Source, person.User.Dn.ToLowerInvariant(), person.User.Name, person.User.Email, person.User.RealName, GroupKind.Ldap,
            person.Groups?.Select(g => new OutsideGroup(g.Name, g.Dn)).ToList(), person.IsAdmin, TakesOverByName: true),
        actor, ct);

    /// <summary>
    /// Brings groups and admin flags of all users of the directory up to date; whom it does not know any more loses them, and everything signed in ends. Safe
    /// to run twice.
    /// </summary>
    /// <returns>How many were looked up, and how many the directory does not know.</returns>
    /// <exception cref="LdapUnavailableException">The directory cannot tell; users done by then are done.</exception>
    public async Task<(int Seen, int Gone)> SyncAsync(CancellationToken ct)
    {
        var (seen, gone, after) = (0, 0, 0L);
        while (await FindDirectoryAsync(ct).ConfigureAwait(false) is { } directory)
        {
            var batch = await ReadAsync(after, ct).ConfigureAwait(false);
            if (batch.Count == 0) break;
            var people = await directory.LookUpAsync([.. batch.Select(u => u.Name)], ct).ConfigureAwait(false);
            for (var i = 0; i < batch.Count; i++)
            {
                var id = batch[i].Id;
                seen++;
                after = id;
                if (people[i] is { } person) await EnsureAsync(person, EventActor.System, ct).ConfigureAwait(false);
                else if (await outside.ForgetAsync(id, ct).ConfigureAwait(false)) gone++;
            }
        }
        return (seen, gone);
    }

    private ValueTask<List<(long Id, string Name)>> ReadAsync(long after, CancellationToken ct) => database.ReadAsync(after, static async (session, after, ct) =>
    {
        var users = new List<(long Id, string Name)>();
        await using var row = await session.Command(NextUsers, Source, after, Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await row.ReadAsync(ct).ConfigureAwait(false)) users.Add((row.GetInt64(0), row.GetString(1)));
        return users;
    }, ct);

    private static readonly Statement NextUsers = new("SELECT id, name FROM users WHERE source = @0 AND id > @1 AND external_id IS NOT NULL ORDER BY id LIMIT @2");
}
