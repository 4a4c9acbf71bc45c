using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;

namespace Berth.Server.Identity;

/// <summary>
/// What decides over an account: password, CLI secret, administrator or not, disabled, locked. Each change ends what was signed in with the old state.
/// </summary>
internal sealed class UserSecretsApi(Database database, DomainEvents events, PasswordRules rules, OldPassword oldPassword, SignInLocks locks, TimeProvider time)
{
    public static IEnumerable<ApiOperation> Operations(UserSecretsApi api) =>
    [
        new("PUT", "/users/{user_id}/password", "updateUserPassword", "user", ApiNeed.Inside, api.PasswordAsync)
        {
            Summary = "Change the own password, knowing the old one, or somebody else's with the permission", Body = typeof(PasswordChange), IsOpenBeforePasswordChange = true,
        },
        new("PUT", "/users/{user_id}/sysadmin", "setUserSysAdmin", "user", ApiNeed.System(SystemPermissions.UserUpdate), api.AdminAsync)
        {
            Summary = "Make a user an administrator, or no longer one", Body = typeof(AdminFlag),
        },
        new("PUT", "/users/{user_id}/cli_secret", "setCliSecret", "user", ApiNeed.Inside, api.CliSecretAsync)
        {
            Summary = "Give a user without a password here a secret for command line clients, a chosen one or, answered once, a random one", Body = typeof(CliSecret), Answer = typeof(CliSecret),
        },
        new("GET", "/users/{user_id}", "getUserState", "user", ApiNeed.System(SystemPermissions.UserRead), api.StateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Source, state and locks of an account", Answer = typeof(UserState),
        },
        new("PATCH", "/users/{user_id}", "changeUserState", "user", ApiNeed.System(SystemPermissions.UserUpdate), api.ChangeStateAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Disable or enable a user; demand a new password", Body = typeof(UserStateChange), Answer = typeof(UserState),
        },
        new("POST", "/users/{user_id}/unlock", "unlockUser", "user", ApiNeed.System(SystemPermissions.UserUpdate), api.UnlockAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Release a user's name that failed sign-ins have locked",
        },
    ];

    private async Task<ApiResult> PasswordAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        if (await UsersApi.RefusalOfChangeAsync(call, id, ct).ConfigureAwait(false) is { } denied) return denied;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.PasswordChange, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var before = await database.ReadAsync(id, static (s, i, t) => UserRows.FindAsync(s, i, t), ct).ConfigureAwait(false);
        if (before is null) return UsersApi.Missing(id);
        if (UsersApi.RefusalOf(call, before) is { } refused) return refused;
        var isSelf = UsersApi.IsSelf(call, id);
        if (isSelf && await oldPassword.RefusalAsync(call, before, wish.OldPassword ?? "", ct).ConfigureAwait(false) is { } wrong) return wrong;
        if (!rules.Allow(wish.NewPassword)) return ApiResult.BadRequest(rules.Text);
        if (Passwords.Verify(before, wish.NewPassword!)) return ApiResult.BadRequest("New password is identical to old password");

        var hash = Passwords.Hash(wish.NewPassword!);
        return await ChangeAsync(call, id, "password of user {0} was changed", user =>
        {
            // The old password was right for this row; if it has been changed meanwhile, the answer is another.
            if (isSelf && user.PasswordHash != before.PasswordHash) return ApiResult.Conflict("the password was changed by another request");
            (user.PasswordHash, user.MustChangePassword) = (hash, isSelf ? false : user.MustChangePassword);
            return null;
        }, ct).ConfigureAwait(false) ?? ApiResult.Done;
    }

    private async Task<ApiResult> AdminAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        var (isRead, flag, refusal) = await call.ReadAsync(IdentityJson.Default.AdminFlag, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!call.IsAdmin) return call.Refuse("only an administrator may make or unmake administrators");
        if (id == Users.BuiltInAdminId && !flag.SysadminFlag) return ApiResult.Forbidden("the built-in administrator stays one");
        return await ChangeAsync(call, id, flag.SysadminFlag ? "user {0} was made an administrator" : "user {0} is no longer an administrator", user =>
        {
            user.IsAdmin = flag.SysadminFlag;
            return null;
        }, ct).ConfigureAwait(false) ?? ApiResult.Done;
    }

    private async Task<ApiResult> CliSecretAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.IsAnonymous) return call.Refuse();
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        if (await UsersApi.RefusalOfChangeAsync(call, id, ct).ConfigureAwait(false) is { } denied) return denied;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.CliSecret, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var chosen = wish.Secret is { Length: > 0 } given ? given : null;
        var secret = chosen ?? GeneratedPassword.New();
        if (!rules.Allow(secret)) return ApiResult.BadRequest(rules.Text);
        var hash = Passwords.Hash(secret);
        return await ChangeAsync(call, id, "CLI secret of user {0} was changed", user =>
        {
            if (user.Source is User.LocalSource or "ldap")
                return ApiResult.Fail(ApiError.PreconditionFailed, $"user {user.Name} signs in with a password: use a personal access token instead of a CLI secret");
            if (UsersApi.IsAboveCaller(call, user) && !UsersApi.IsSelf(call, id)) return call.Refuse();
            user.CliSecretHash = hash;
            return null;
        }, ct).ConfigureAwait(false)
            // Only the hash is kept: nobody could look a made-up secret up later, as in Harbor.
            ?? (chosen is null ? ApiResult.Ok(new CliSecret(secret), IdentityJson.Default.CliSecret) : ApiResult.Done);
    }

    private async Task<ApiResult> StateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        return await database.ReadAsync(id, static (s, i, t) => UserRows.FindAsync(s, i, t), ct).ConfigureAwait(false) is { } user
            ? ApiResult.Ok(await StateOfAsync(user, ct).ConfigureAwait(false), IdentityJson.Default.UserState)
            : UsersApi.Missing(id);
    }

    private async Task<ApiResult> ChangeStateAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        var (isRead, wish, refusal) = await call.ReadAsync(IdentityJson.Default.UserStateChange, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (wish.IsDisabled == true && (id == Users.BuiltInAdminId || UsersApi.IsSelf(call, id))) return ApiResult.Forbidden($"user {id} cannot be disabled");
        User? changed = null;
        var description = wish.IsDisabled == true ? "user {0} was disabled" : wish.IsDisabled == false ? "user {0} was enabled" : "state of user {0} was changed";
        var failed = await ChangeAsync(call, id, description, user =>
        {
            if (UsersApi.IsAboveCaller(call, user)) return call.Refuse($"only an administrator may change the administrator {user.Name}");
            if (wish.MustChangePassword == true && user.Source != User.LocalSource) return ApiResult.Conflict($"the password of user {user.Name} is not kept here");
            (user.IsDisabled, user.MustChangePassword) = (wish.IsDisabled ?? user.IsDisabled, wish.MustChangePassword ?? user.MustChangePassword);
            changed = user;
            return null;
        }, ct).ConfigureAwait(false);
        return failed ?? ApiResult.Ok(await StateOfAsync(changed!, ct).ConfigureAwait(false), IdentityJson.Default.UserState);
    }

    private async Task<ApiResult> UnlockAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("user_id") is not { } id) return UsersApi.NoNumber;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await UserRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } user) return UsersApi.Missing(id);
            await SignInLocks.ReleaseAsync(session, user.Name, token).ConfigureAwait(false);
            await Users.AnnounceAsync(session, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, user.Name, $"name of user {user.Name} was released", token).ConfigureAwait(false);
            return ApiResult.NoContent;
        }, ct).ConfigureAwait(false);
    }

    // The change of a row with its announcement and event; null when it is done, else why not.
    private Task<ApiResult?> ChangeAsync(ApiCall call, long id, string description, Func<User, ApiResult?> change, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await UserRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } user) return UsersApi.Missing(id);
            var (hash, isAdmin) = (user.PasswordHash, user.IsAdmin);
            if (change(user) is { } refusal) return refusal;
            // Who knew the old password, or had more rights, must not go on in a browser.
            if (user.PasswordHash != hash || isAdmin && !user.IsAdmin || user.IsDisabled) await BrowserSessions.EndAllAsync(session, id, token).ConfigureAwait(false);
            user.UpdatedAt = time.GetUtcNow().ToUnixTimeMilliseconds();
            await UserRows.UpdateAsync(session, user, token).ConfigureAwait(false);
            await Users.AnnounceAsync(session, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, user.Name, string.Format(null, description, user.Name), token).ConfigureAwait(false);
            return (ApiResult?)null;
        }, ct);

    private async ValueTask<UserState> StateOfAsync(User user, CancellationToken ct)
    {
        var (failures, until) = await locks.StateOfAsync(user.Name, ct).ConfigureAwait(false);
        return new UserState
        {
            Id = user.Id,
            Name = user.Name,
            Source = user.Source,
            IsAdmin = user.IsAdmin || user.IsAdminBySource,
            IsDisabled = user.IsDisabled,
            MustChangePassword = user.MustChangePassword,
            FailedSignIns = failures,
            LockedUntil = ApiTime.Text(until),
        };
    }

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string name, string description, CancellationToken ct) =>
        events.RaiseAsync(session, new DomainEvent { Operation = "update", ResourceType = "user", Resource = name, Actor = call.Actor, Description = description }, ct);
}
