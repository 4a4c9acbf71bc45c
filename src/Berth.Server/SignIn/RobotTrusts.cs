using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.SignIn;

/// <summary>The trusts of robots in the database.</summary>
internal sealed class RobotTrusts(Database database, DomainEvents events, TimeProvider time)
{
    /// <summary>Most trusts of one robot, and of one issuer that are tried.</summary>
    public const int MaxOfRobot = 50;

    private const int MaxOfIssuer = 200;

    /// <summary>Trusts in an issuer.</summary>
    public ValueTask<List<RobotTrust>> OfIssuerAsync(string issuer, CancellationToken ct) =>
        database.ReadAsync(issuer, static (session, issuer, ct) => ListAsync(session.Command(ByIssuer, issuer, MaxOfIssuer), ct), ct);

    /// <summary>Trusts of a robot, in the order in which they were made.</summary>
    public ValueTask<List<RobotTrust>> OfRobotAsync(long robotId, CancellationToken ct) =>
        database.ReadAsync(robotId, static (session, robot, ct) => ListAsync(session.Command(ByRobot, robot), ct), ct);

    /// <summary>The robot of a trust with the trust itself, or null.</summary>
    public ValueTask<(RobotTrust Trust, TrustedRobot Robot)?> FindAsync(long trustId, CancellationToken ct) =>
        database.ReadAsync<long, (RobotTrust, TrustedRobot)?>(trustId, static async (session, id, ct) =>
        {
            if (await ListAsync(session.Command(ById, id), ct).ConfigureAwait(false) is not [{ } trust]) return null;
            return await ReadRobotAsync(session, trust.RobotId, ct).ConfigureAwait(false) is { } robot ? (trust, robot) : null;
        }, ct);

    /// <summary>What is known of a robot, or null.</summary>
    public ValueTask<TrustedRobot?> FindRobotAsync(long robotId, CancellationToken ct) =>
        database.ReadAsync(robotId, static (session, id, ct) => ReadRobotAsync(session, id, ct), ct);

    /// <summary>Adds a trust; its id, or null when the robot has one of that name or too many.</summary>
    public Task<long?> AddAsync(RobotTrust trust, TrustedRobot robot, EventActor actor, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        if (await session.ScalarAsync(Count, [trust.RobotId], token).ConfigureAwait(false) >= MaxOfRobot) return null;
        trust.CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds();
        var id = await session.ScalarAsync(
            Insert, [trust.RobotId, trust.Name, trust.Issuer, trust.Audience, trust.Claims, trust.JwksUri, trust.Jwks, trust.ExpiresAt, trust.CreatedAt], token).ConfigureAwait(false);
        if (id is null) return null;
        await events.RaiseAsync(session, Event("create", trust, robot, actor), token).ConfigureAwait(false);
        return id;
    }, ct);

    /// <summary>Ends a trust; false when the robot has no such one. Tokens that were given for it end at once.</summary>
    public Task<bool> RemoveAsync(RobotTrust trust, TrustedRobot robot, EventActor actor, CancellationToken ct) => database.WriteAsync(Durability.Full, async (session, token) =>
    {
        if (await session.ExecuteAsync(Delete, [trust.Id, trust.RobotId], token).ConfigureAwait(false) == 0) return false;
        await session.AnnounceAsync(Topics.Credentials, $"robot:{trust.RobotId}", token).ConfigureAwait(false);
        await events.RaiseAsync(session, Event("delete", trust, robot, actor), token).ConfigureAwait(false);
        return true;
    }, ct);

    private static DomainEvent Event(string operation, RobotTrust trust, TrustedRobot robot, EventActor actor) => new()
    {
        Operation = operation,
        ResourceType = "robot-trust",
        Resource = $"{robot.Name}/{trust.Name}",
        ProjectId = robot.ProjectId,
        ProjectName = robot.ProjectName,
        Actor = actor,
        Description = $"{operation} trust {trust.Name} in {trust.Issuer} of robot {robot.Name}",
    };

    private static async ValueTask<TrustedRobot?> ReadRobotAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var row = await session.Command(RobotById, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false)
            ? new TrustedRobot(id, row.GetString(0), row.IsDBNull(1) ? null : row.GetInt64(1), row.GetBoolean(2), row.IsDBNull(3) ? null : row.GetInt64(3), row.IsDBNull(4) ? null : row.GetString(4))
            : null;
    }

    private static async ValueTask<List<RobotTrust>> ListAsync(DbCommand command, CancellationToken ct)
    {
        var trusts = new List<RobotTrust>();
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            trusts.Add(new RobotTrust
            {
                Id = row.GetInt64(0),
                RobotId = row.GetInt64(1),
                Name = row.GetString(2),
                Issuer = row.GetString(3),
                Audience = row.GetString(4),
                Claims = row.GetString(5),
                JwksUri = row.IsDBNull(6) ? null : row.GetString(6),
                Jwks = row.IsDBNull(7) ? null : row.GetString(7),
                ExpiresAt = row.IsDBNull(8) ? null : row.GetInt64(8),
                CreatedAt = row.GetInt64(9),
            });
        }
        return trusts;
    }

    private const string Columns = "id, robot_id, name, issuer, audience, claims, jwks_uri, jwks, expires_at, created_at";
    private static readonly Statement ById = new($"SELECT {Columns} FROM robot_trusts WHERE id = @0");
    private static readonly Statement ByRobot = new($"SELECT {Columns} FROM robot_trusts WHERE robot_id = @0 ORDER BY id");
    private static readonly Statement ByIssuer = new($"SELECT {Columns} FROM robot_trusts WHERE issuer = @0 ORDER BY id LIMIT @1");
    private static readonly Statement Count = new("SELECT COUNT(*) FROM robot_trusts WHERE robot_id = @0");
    private static readonly Statement Insert = new("""
        INSERT INTO robot_trusts (robot_id, name, issuer, audience, claims, jwks_uri, jwks, expires_at, created_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8) ON CONFLICT (robot_id, name) DO NOTHING RETURNING id
        """);
    private static readonly Statement Delete = new("DELETE FROM robot_trusts WHERE id = @0 AND robot_id = @1");
    private static readonly Statement RobotById = new("""
        SELECT r.name, r.project_id, r.is_disabled, r.expires_at, p.name FROM robots r LEFT JOIN projects p ON p.id = r.project_id WHERE r.id = @0
        """);
}

/// <summary>What a sign-in needs to know of a robot.</summary>
internal sealed record TrustedRobot(long Id, string Name, long? ProjectId, bool IsDisabled, long? ExpiresAt, string? ProjectName)
{
    /// <summary>Whether it may sign in.</summary>
    public bool IsActive(DateTimeOffset now) => !IsDisabled && (ExpiresAt is not { } end || now.ToUnixTimeMilliseconds() < end);
}
