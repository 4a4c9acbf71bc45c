using Berth.Server.Access;
using Berth.Server.Access.Robots;
using Berth.Server.Identity.Federation;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.Logging;

namespace Berth.Server.SignIn;

/// <summary>
/// Tokens of trusted issuers as passwords: a machine needs no secret of ours. The name may be anything but a user's, a robot's own (<c>robot$ci</c>) must be
/// the one that the token stands for.
/// </summary>
internal sealed class MachineCredentials(
    MachineTokens machines, RobotTrusts trusts, RobotSource robots, RuntimeSettings settings, TimeProvider time, ILogger<MachineCredentials> log) : ICredentialSource
{

    public string Prefix => "trust:";

    public bool AsksOutside => true;

    public async ValueTask<CredentialVerdict> CheckAsync(string name, string password, CancellationToken ct)
    {
        if (MachineTokens.IssuerOf(password) is not { } issuer) return CredentialVerdict.NotMine;
        var candidates = await trusts.OfIssuerAsync(issuer, ct).ConfigureAwait(false);
        switch (await machines.SignInAsync(password, [.. candidates.Select(t => t.ToTrust())], ct).ConfigureAwait(false))
        {
            case MachineSignIn.Accepted accepted when await LoadAsync(accepted.Trust.Id, ct).ConfigureAwait(false) is { } caller:
                var prefix = await PrefixAsync(ct).ConfigureAwait(false);
                if (RobotNames.WithoutPrefix(name, prefix) is { } wanted && wanted != RobotNames.WithoutPrefix(caller.Name, prefix))
                {
                    log.TokenRefused(issuer, $"it stands for {caller.Name}, not for {name}");
                    return CredentialVerdict.Wrong;
                }
                await robots.NoteUseAsync(caller.SubjectId, ct).ConfigureAwait(false);
                log.TokenAccepted(accepted.Subject, issuer, caller.Name);
                return CredentialVerdict.Of(caller, accepted.ExpiresAt);
            case MachineSignIn.Unavailable away:
                throw new SignInUnavailableException(away.Reason);
            case MachineSignIn.Refused refused:
                log.TokenRefused(issuer, refused.Reason);
                return CredentialVerdict.Wrong;
            default:
                log.TokenRefused(issuer, "its robot account is disabled or expired");
                return CredentialVerdict.Wrong;
        }
    }

    private ValueTask<string> PrefixAsync(CancellationToken ct) => settings.ReadAsync(RuntimeSettingTable.RobotNamePrefix, ct);

    /// <remarks>Without a stamp: what ends by itself buys no refresh token, and an access token ends with the trust or the robot.</remarks>
    public async ValueTask<Caller?> LoadAsync(long id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (await trusts.FindAsync(id, ct).ConfigureAwait(false) is not { } found || !found.Robot.IsActive(now)) return null;
        if (found.Trust.ExpiresAt is { } end && now.ToUnixTimeMilliseconds() >= end) return null;
        return new Caller(Prefix + id, await PrefixAsync(ct).ConfigureAwait(false) + found.Robot.Name, isAdmin: false, grants: null) { Kind = CallerKind.Robot, SubjectId = found.Robot.Id };
    }
}

internal static partial class MachineCredentialsLog
{
    [LoggerMessage(2110, LogLevel.Information, "machine signed in: {Subject} of {Issuer} as {Robot}")]
    public static partial void TokenAccepted(this ILogger logger, string subject, string issuer, string robot);

    [LoggerMessage(2111, LogLevel.Information, "machine refused: a token that names the issuer {Issuer}: {Reason}")]
    public static partial void TokenRefused(this ILogger logger, string issuer, string reason);
}
