using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Access.Robots;

/// <summary>Robots with their secrets (<see cref="RobotNames"/> says under which names). Robots have no browser sessions.</summary>
internal sealed class RobotSource(RuntimeSettings settings, Database database, LastUse lastUse, TimeProvider time) : ICredentialSource
{
    public string Prefix => "robot:";

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        var prefix = await PrefixAsync(ct).ConfigureAwait(false);
        var bare = RobotNames.WithoutPrefix(name, prefix);
        var robot = bare is null ? null : await database.ReadAsync(bare, static (s, n, t) => RobotRows.FindAsync(s, n, t), ct).ConfigureAwait(false);
        // A name that only looks like one with a prefix, or has none.
        robot ??= await database.ReadAsync(name, static (s, n, t) => RobotRows.FindUnlessUserAsync(s, n, t), ct).ConfigureAwait(false);
        if (robot is null) return CredentialVerdict.NotMine;
        var match = RobotSecrets.Match(password, robot.SecretHash, robot.PreviousSecretEndsAt > Now() ? robot.PreviousSecretHash : null);
        // The token of an issuer whom the robot trusts may stand in the secret's place.
        if (match == RobotSecretMatch.None && PasswordSignIn.LooksLikeToken(password)) return CredentialVerdict.NotMine;
        var caller = match == RobotSecretMatch.None ? null : CallerOf(robot, prefix);
        if (match == RobotSecretMatch.Previous) caller = caller?.Before;
        if (caller is null) return CredentialVerdict.Wrong;
        await lastUse.NoteAsync(Touch, robot.Id, robot.LastUsedAt, ct).ConfigureAwait(false);
        return CredentialVerdict.Of(caller);
    }

    public async ValueTask<Caller?> LoadAsync(long id, CancellationToken ct) =>
        await database.ReadAsync(id, static (s, i, t) => RobotRows.FindAsync(s, i, t), ct).ConfigureAwait(false) is { } robot
            ? CallerOf(robot, await PrefixAsync(ct).ConfigureAwait(false))
            : null;

    /// <summary>Notes that a robot has signed in by other means than its secret.</summary>
    public async ValueTask NoteUseAsync(long id, CancellationToken ct) => await lastUse.NoteAsync(Touch, id, null, ct).ConfigureAwait(false);

    private Caller? CallerOf(Robot robot, string prefix)
    {
        var end = TimeOf(robot.ExpiresAt);
        if (robot.IsDisabled || end <= time.GetUtcNow()) return null;
        if (robot.PreviousSecretHash is not { } previous || robot.PreviousSecretEndsAt is not { } until || until <= Now()) return CallerOf(robot, prefix, robot.SecretHash, end, null);
        var previousEnd = TimeOf(until);
        return CallerOf(robot, prefix, robot.SecretHash, end, CallerOf(robot, prefix, previous, end < previousEnd ? end : previousEnd, null));
    }

    // Tokens end with the secret that bought them.
    private static Caller CallerOf(Robot robot, string prefix, string? secretHash, DateTimeOffset? end, Caller? before) => new("robot:" + robot.Id, prefix + robot.Name, isAdmin: false, grants: null)
    {
        Kind = CallerKind.Robot,
        SubjectId = robot.Id,
        Stamp = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{robot.Id}\n{secretHash}")).AsSpan(0, 16)),
        EndsAt = end,
        Before = before,
    };

    private static DateTimeOffset? TimeOf(long? milliseconds) => milliseconds is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private ValueTask<string> PrefixAsync(CancellationToken ct) => settings.ReadAsync(RuntimeSettingTable.RobotNamePrefix, ct);

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static readonly Statement Touch = new("UPDATE robots SET last_used_at = @0 WHERE id = @1 AND (last_used_at IS NULL OR last_used_at < @2)");
}
