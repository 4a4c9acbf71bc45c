using Berth.Server.Access;
using Berth.Server.Identity.Certificates;
using Berth.Server.Identity;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// The certificate of the connection. A name that a user has already means that user: the operator has put the authority in charge of names.
/// </summary>
internal sealed class CertificateCredentials(CertificateSignIn certificates, OutsideUsers outside, Users users) : IRequestCredentials, IDisposable
{
    private const string Source = "certificate";

    public void Prepare(HttpContext context)
    {
        // The certificate belongs to the connection: nothing to take out.
    }

    public async ValueTask<SignInResult?> SignInAsync(HttpContext context, CancellationToken ct)
    {
        if (certificates.NameOf(context.Connection.ClientCertificate) is not { } name) return null;
        context.Features.Set(new RequestProof(!CrossSite.IsFromElsewhere(context.Request)));
        var user = await users.FindAsync(name, ct).ConfigureAwait(false) ?? await outside.EnsureAsync(
            new OutsidePerson(Source, name, name, null, null, GroupKind.Local, null, null),
            new EventActor("user", 0, name, context.Connection.RemoteIpAddress?.ToString() ?? "", ""), ct).ConfigureAwait(false);
        return user is { IsDisabled: false } ? new SignInResult(UserPasswords.CallerOf(user)) : SignInResult.Refused;
    }

    public void Dispose() => certificates.Dispose();
}
