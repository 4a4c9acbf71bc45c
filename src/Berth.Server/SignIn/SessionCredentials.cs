using System.Security.Cryptography;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Identity.Sessions;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// The session of a browser: cookie <c>sid</c>, as Harbor's. Changes need the token of the session in the header <c>X-Harbor-CSRF-Token</c>, which every answer
/// brings. Not on <c>/v2/</c>, which is for programs.
/// </summary>
internal sealed class SessionCredentials(BrowserSessions sessions, Users users) : IRequestCredentials
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "sid";

    /// <summary>Header of the token, both ways.</summary>
    public const string ProofHeader = "X-Harbor-CSRF-Token";

    public void Prepare(HttpContext context)
    {
        // A cookie is nobody else's to read: nothing to take out.
    }

    public async ValueTask<SignInResult?> SignInAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal) || context.Request.Cookies[Cookie] is not { Length: > 0 } token) return null;
        if (await sessions.FindAsync(token, ct).ConfigureAwait(false) is not { } session) return null;
        if (await users.FindAsync(session.UserId, ct).ConfigureAwait(false) is not { IsDisabled: false } user) return null;
        var proof = BrowserSessions.ProofOf(token);
        var sent = context.Request.Headers[ProofHeader].ToString();
        context.Features.Set(new RequestProof(CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes(proof)), proof));
        context.Features.Set(session);
        context.Response.Headers[ProofHeader] = proof;
        return new SignInResult(UserPasswords.CallerOf(user));
    }
}
