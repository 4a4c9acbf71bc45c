using System.Globalization;
using Berth.Server.Access;
using Berth.Server.Api;

namespace Berth.Server.Identity;

/// <summary>
/// Checks the old password of somebody who wants a new one. Guessing here is counted and slowed down like guessing at the door: a stolen session must
/// not find the password out.
/// </summary>
internal sealed class OldPassword(PasswordSignIn passwords, LocalCallers callers)
{
    private readonly PasswordSignIn.Check _check = callers.CheckPasswordAsync;

    /// <summary>The answer when the password is not the user's; null when it is.</summary>
    public async ValueTask<ApiResult?> RefusalAsync(ApiCall call, User user, string password, CancellationToken ct)
    {
        var header = new BasicCredentials(user.Name, password).ToHeader();
        var result = await passwords.SignInAsync(header, call.Http.Connection.RemoteIpAddress, _check, ct).ConfigureAwait(false);
        if (result.RetryAfter is { } wait)
        {
            call.Http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return ApiResult.Fail(ApiError.TooManyRequests, "too many failed sign-ins: try again later");
        }
        // A personal token of the user is no password.
        return result.Caller?.Id == "user:" + user.Id ? null : ApiResult.Forbidden("Current password is incorrect");
    }
}
