using Berth.Server.Access;
using Berth.Server.Identity.Proxy;
using Berth.Server.Identity;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// The word of a trusted proxy. Its headers are taken out of every request first. A name that a user has already means that user: the operator has put the
/// proxy in charge of names.
/// </summary>
internal sealed class ProxyCredentials(ProxyHeader header, OutsideUsers outside, Users users) : IRequestCredentials
{
    private const string Source = "proxy";

    public void Prepare(HttpContext context)
    {
        if (header.Take(context) is { } person) context.Features.Set(person);
    }

    public async ValueTask<SignInResult?> SignInAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Features.Get<ProxyPerson>() is not { } person) return null;
        context.Features.Set(new RequestProof(!CrossSite.IsFromElsewhere(context.Request)));
        var user = await users.FindAsync(person.Name, ct).ConfigureAwait(false);
        if (user is null or { Source: Source })
        {
            user = await outside.EnsureAsync(
                new OutsidePerson(
                    Source, person.Name, person.Name, person.Email, null, GroupKind.Proxy, person.Groups?.Select(g => new OutsideGroup(g)).ToList(), person.IsAdmin),
                new EventActor("user", 0, person.Name, context.Connection.RemoteIpAddress?.ToString() ?? "", ""), ct).ConfigureAwait(false);
        }
        return user is { IsDisabled: false } ? new SignInResult(UserPasswords.CallerOf(user)) : SignInResult.Refused;
    }
}
