using System.Text;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Federation;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jose;

namespace Berth.Server.SignIn;

/// <summary>
/// The issuers whose tokens stand for a robot. To add one is to give credentials of the robot away: people who may change the robot may do it, robots never.
/// </summary>
internal sealed class RobotTrustApi(RobotTrusts trusts, OutgoingGuard guard)
{
    private const int MaxNameLength = 255;
    private const int MaxTextLength = 1024;
    private const int MaxJwksLength = 64 * 1024;

    public IEnumerable<ApiOperation> Operations() =>
    [
        new("GET", "/robots/{robot_id}/trusts", "listRobotTrusts", "robot", ApiNeed.Inside, ListAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(RobotTrustBody), IsList = true, Summary = "Issuers whose tokens stand for a robot; needs robot:read of its project or the system",
        },
        new("POST", "/robots/{robot_id}/trusts", "addRobotTrust", "robot", ApiNeed.Inside, AddAsync)
        {
            Surface = ApiSurface.Berth, Body = typeof(RobotTrustBody), Summary = "Trusts an issuer; needs robot:update of the project, or robot:create of the system",
        },
        new("DELETE", "/robots/{robot_id}/trusts/{trust_id}", "removeRobotTrust", "robot", ApiNeed.Inside, RemoveAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Ends a trust, and with it what was given for it; needs the same as to add one",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, isChange: false, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        var list = await trusts.OfRobotAsync(robot.Id, ct).ConfigureAwait(false);
        return ApiResult.List(list.ConvertAll(BodyOf), list.Count, SignInJson.Default.ListRobotTrustBody);
    }

    private async Task<ApiResult> AddAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, isChange: true, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        var (isRead, body, unreadable) = await call.ReadAsync(SignInJson.Default.RobotTrustBody, ct).ConfigureAwait(false);
        if (!isRead) return unreadable!;
        var (rules, ruleProblems) = ClaimRules.Create(body.Claims ?? []);
        List<string> problems = [.. ProblemsOf(body), .. ruleProblems];
        if (problems.Count > 0) return ApiResult.BadRequest(string.Join("; ", problems));
        var trust = new RobotTrust
        {
            RobotId = robot.Id,
            Name = body.Name!,
            Issuer = body.Issuer!,
            Audience = body.Audience!,
            Claims = rules!.ToJson(),
            JwksUri = body.JwksUri,
            Jwks = body.Jwks,
            ExpiresAt = body.ExpiresAt?.ToUnixTimeMilliseconds(),
        };
        if (await trusts.AddAsync(trust, robot, call.Actor, ct).ConfigureAwait(false) is not { } id)
            return ApiResult.Conflict($"the robot has a trust of that name already, or {RobotTrusts.MaxOfRobot} trusts");
        trust.Id = id;
        return ApiResult.Created($"/api/berth/v1/robots/{robot.Id}/trusts/{id}", BodyOf(trust), SignInJson.Default.RobotTrustBody);
    }

    private async Task<ApiResult> RemoveAsync(ApiCall call, CancellationToken ct)
    {
        var (robot, refusal) = await FindAsync(call, isChange: true, ct).ConfigureAwait(false);
        if (robot is null) return refusal!;
        var trust = call.RouteNumber("trust_id") is { } id ? (await trusts.FindAsync(id, ct).ConfigureAwait(false))?.Trust : null;
        return trust is not null && trust.RobotId == robot.Id && await trusts.RemoveAsync(trust, robot, call.Actor, ct).ConfigureAwait(false)
            ? ApiResult.NoContent
            : ApiResult.NotFound("the robot has no such trust");
    }

    private async Task<(TrustedRobot? Robot, ApiResult? Refusal)> FindAsync(ApiCall call, bool isChange, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous || (isChange && call.Caller.Kind == CallerKind.Robot)) return (null, call.Refuse());
        var robot = call.RouteNumber("robot_id") is { } id ? await trusts.FindRobotAsync(id, ct).ConfigureAwait(false) : null;
        // Whether a robot exists is told to those who may see it.
        if (robot is null) return (null, call.IsAdmin ? ApiResult.NotFound("there is no such robot") : call.Refuse());
        if (call.IsAdmin) return (robot, null);
        var isAllowed = robot.ProjectName is null
            ? await call.MayAsync(isChange ? SystemPermissions.RobotCreate : SystemPermissions.RobotRead, ct).ConfigureAwait(false)
            : await call.FindProjectAsync(robot.ProjectName, ct).ConfigureAwait(false) is { } project
                && await call.MayAsync(project, isChange ? ProjectPermissions.RobotUpdate : ProjectPermissions.RobotRead, ct).ConfigureAwait(false);
        return isAllowed ? (robot, null) : (null, call.Refuse());
    }

    private IEnumerable<string> ProblemsOf(RobotTrustBody body)
    {
        if (body.Name is not { Length: > 0 and <= MaxNameLength }) yield return $"name is needed, of at most {MaxNameLength} characters";
        if (body.Audience is not { Length: > 0 and <= MaxTextLength }) yield return "audience is needed: what the machine asks its issuer for, the address of this registry for example";
        if (body.Issuer is not { Length: > 0 and <= MaxTextLength } issuer) yield return "issuer is needed: exactly what tokens say in iss";
        else if (body.Jwks is null && body.JwksUri is null && OidcRules.IssuerProblem(issuer, verifyCertificate: true) is { } problem) yield return "issuer " + problem;
        // A first word only: the connection itself is guarded.
        if (body.Jwks is null && Uri.TryCreate(body.JwksUri ?? body.Issuer, UriKind.Absolute, out var address) && guard.ProblemOf(address) is { } refusal) yield return refusal;
        if (body.Jwks is not null && body.JwksUri is not null) yield return "either jwks or jwks_uri can be given";
        if (body.JwksUri is { } uri && OidcRules.IssuerProblem(uri, verifyCertificate: true) is { } wrong) yield return "jwks_uri " + wrong;
        if (body.Jwks is { } jwks && !HasKeys(jwks)) yield return $"jwks must be a key set (JSON, at most {MaxJwksLength} characters) with at least one usable public key";
    }

    private static bool HasKeys(string jwks)
    {
        try
        {
            return jwks.Length <= MaxJwksLength && JsonWebKeySet.Parse(Encoding.UTF8.GetBytes(jwks)).All.Count > 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static RobotTrustBody BodyOf(RobotTrust trust) => new()
    {
        Id = trust.Id,
        Name = trust.Name,
        Issuer = trust.Issuer,
        Audience = trust.Audience,
        Claims = new Dictionary<string, IReadOnlyList<string>>(ClaimRules.Parse(trust.Claims).Rules),
        JwksUri = trust.JwksUri,
        Jwks = trust.Jwks,
        ExpiresAt = trust.ExpiresAt is { } end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : null,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(trust.CreatedAt),
    };
}
