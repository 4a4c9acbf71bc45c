using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;

namespace Berth.Server.Access.Robots;

/// <summary>
/// New secrets for robots. Harbor's refresh ends the secret before at once; a rotation keeps it good for a while, so that machines can be changed over one by one.
/// Who takes a robot over like this must be able to hand out what it may do.
/// </summary>
internal sealed class RobotSecretsApi(Database database, RobotsApi robots, RobotLimits limits, PasswordRules rules, TimeProvider time)
{
    private const long DefaultGraceSeconds = 24 * 60 * 60;
    private const long MaxGraceSeconds = 30 * DefaultGraceSeconds;

    public static IEnumerable<ApiOperation> Operations(RobotSecretsApi api) =>
    [
        new("PATCH", "/robots/{robot_id}", "RefreshSec", "robot", ApiNeed.Inside, api.RefreshAsync)
        {
            Summary = "Give a robot another secret, a chosen or a random one; needs robot:update where it belongs", Body = typeof(RobotSecret), Answer = typeof(RobotSecret),
        },
        new("GET", "/robots/{robot_id}", "getRobotState", "robot", ApiNeed.Inside, api.StateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "When a robot was last used and how long its secret before is good; needs robot:read where it belongs", Answer = typeof(RobotState),
        },
        new("POST", "/robots/{robot_id}/rotate", "rotateRobotSecret", "robot", ApiNeed.Inside, api.RotateAsync)
        {
            Surface = ApiSurface.Berth,
            Summary = "Give a robot another secret and keep the one before for a while; needs robot:update where it belongs",
            Body = typeof(RotationRequest),
            Answer = typeof(Rotation),
        },
        new("DELETE", "/robots/{robot_id}/previous-secret", "endPreviousRobotSecret", "robot", ApiNeed.Inside, api.EndPreviousAsync)
        {
            Surface = ApiSurface.Berth, Summary = "End the secret before now; needs robot:update where it belongs",
        },
    ];

    private async Task<ApiResult> RefreshAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        var (isRead, wish, unread) = await call.ReadAsync(RobotJson.Default.RobotSecret, ct).ConfigureAwait(false);
        if (!isRead) return unread!;
        var chosen = wish.Secret is { Length: > 0 } given ? given : null;
        if (chosen is not null && !rules.Allow(chosen))
            return ApiResult.BadRequest(rules.Text.Replace("the password or secret", "the secret", StringComparison.Ordinal));
        var secret = chosen ?? RobotSecrets.New();
        var hash = chosen is null ? RobotSecrets.HashOfRandom(secret) : RobotSecrets.HashOfChosen(secret);
        return await ChangeAsync(call, robot.Id, "got another secret", row => (row.SecretHash, row.PreviousSecretHash, row.PreviousSecretEndsAt) = (hash, null, null), ct).ConfigureAwait(false)
            ?? ApiResult.Ok(new RobotSecret(chosen is null ? secret : ""), RobotJson.Default.RobotSecret);
    }

    private async Task<ApiResult> RotateAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        var wish = new RotationRequest(null);
        if (call.Http.Request.ContentLength is not (null or 0) || call.Http.Request.Headers.TransferEncoding.Count > 0)
        {
            (var isRead, wish, var unread) = await call.ReadAsync(RobotJson.Default.RotationRequest, ct).ConfigureAwait(false);
            if (!isRead) return unread!;
        }
        var grace = wish.GraceSeconds ?? DefaultGraceSeconds;
        if (grace is < 0 or > MaxGraceSeconds) return ApiResult.BadRequest($"grace_seconds must be 0 to {MaxGraceSeconds}");
        var secret = RobotSecrets.New();
        var until = time.GetUtcNow().ToUnixTimeMilliseconds() + (grace * 1000);
        return await ChangeAsync(call, robot.Id, $"got another secret; the one before is good until {ApiTime.Text(until)}", row =>
            (row.PreviousSecretHash, row.SecretHash, row.PreviousSecretEndsAt) = (row.SecretHash, RobotSecrets.HashOfRandom(secret), until), ct).ConfigureAwait(false)
            ?? ApiResult.Ok(new Rotation(robot.Id, await robots.NameOfAsync(robot, ct).ConfigureAwait(false), secret, ApiTime.Text(until)), RobotJson.Default.Rotation);
    }

    private async Task<ApiResult> EndPreviousAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        return await ChangeAsync(call, robot.Id, "lost the secret before", row => (row.PreviousSecretHash, row.PreviousSecretEndsAt) = (null, null), ct).ConfigureAwait(false)
            ?? ApiResult.NoContent;
    }

    private async Task<ApiResult> StateAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, _, _, refusal) = await robots.FindAsync(call, ProjectPermissions.RobotRead, SystemPermissions.RobotRead, ct).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        var isRotating = robot.PreviousSecretEndsAt > time.GetUtcNow().ToUnixTimeMilliseconds() && robot.PreviousSecretHash is not null;
        return ApiResult.Ok(
            new RobotState(
                robot.Id, await robots.NameOfAsync(robot, ct).ConfigureAwait(false), robot.IsDisabled, ApiTime.Text(robot.ExpiresAt), ApiTime.Text(robot.LastUsedAt),
                isRotating ? ApiTime.Text(robot.PreviousSecretEndsAt) : null),
            RobotJson.Default.RobotState);
    }

    private async ValueTask<(Robot? Robot, ApiResult? Refusal)> FindAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, rights, _, refusal) = await robots.FindAsync(call, ProjectPermissions.RobotUpdate, null, ct).ConfigureAwait(false);
        if (refusal is not null) return (null, refusal);
        return await limits.CoverAsync(call, rights, ct).ConfigureAwait(false) ? (robot, null) : (null, RobotsApi.Beyond(call));
    }

    // Null when it is done.
    private Task<ApiResult?> ChangeAsync(ApiCall call, long id, string what, Action<Robot> change, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await RobotRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } row) return RobotsApi.Missing(id);
            change(row);
            row.UpdatedAt = time.GetUtcNow().ToUnixTimeMilliseconds();
            await RobotRows.UpdateAsync(session, row, token).ConfigureAwait(false);
            await RobotRows.AnnounceAsync(session, id, token).ConfigureAwait(false);
            var project = row.ProjectId is { } home ? await Projects.ProjectRows.ReadAsync(session, home, token).ConfigureAwait(false) : null;
            await robots.RaiseAsync(session, call, "update", row, project?.Name, what, token).ConfigureAwait(false);
            return (ApiResult?)null;
        }, ct);
}
