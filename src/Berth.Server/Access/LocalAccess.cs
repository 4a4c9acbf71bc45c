using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access;

/// <summary>
/// Users in the database and Berth's own token service (mode <c>local</c>). Basic credentials and bearer tokens are both taken on /v2/;
/// the challenge asks for a token, as all clients expect.
/// </summary>
internal sealed class LocalAccess(AccessOptions options, HttpOptions http, LocalCallers callers, PasswordSignIn passwords, BearerSignIn bearers)
    : ICallerSource
{
    private readonly PasswordSignIn.Check _password = callers.CheckPasswordAsync;
    private readonly BearerSignIn.Check _token = callers.CheckTokenAsync;

    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length == 0) return new ValueTask<SignInResult>(new SignInResult(Caller.Anonymous));
        return Bearer.IsBearer(authorization)
            ? bearers.SignInAsync(authorization, _token, ct)
            : passwords.SignInAsync(authorization, context.Connection.RemoteIpAddress, _password, ct);
    }

    // The grants of a token were cut to the rights of its owner when it was verified.
    public bool May(Caller caller, string repository, RepositoryAction action)
    {
        if (caller.Grants is { } grants) return Grants.Allow(grants, repository, action);
        return caller.IsAnonymous ? LocalRights.OfAnybody(options.Anonymous, action) : LocalRights.OfUser(caller.IsAdmin, action);
    }

    public bool MayListCatalog(Caller caller)
    {
        if (caller.Grants is { } grants) return Grants.AllowCatalog(grants);
        return !caller.IsAnonymous || options.Anonymous != AnonymousAccess.None;
    }

    // Whoever may list at all may pull every repository (LocalRights), so there is nothing to hide.
    public bool MayList(Caller caller, string repository) => MayListCatalog(caller);

    /// <remarks>
    /// False without credentials even where anybody may pull: clients learn from the challenge of <c>/v2/</c> where to sign in, and would
    /// later push without having done so. They come back with an anonymous token.
    /// </remarks>
    public bool MayUseApi(Caller caller) => caller.Grants is not null || !caller.IsAnonymous;

    public string Challenge(HttpContext context, string scope, string? error) =>
        Bearer.Challenge(RealmOf(context.Request), options.Service, scope, error);

    private string RealmOf(HttpRequest request)
    {
        var origin = http.PublicUrl is { Length: > 0 } url ? url.TrimEnd('/') : $"{request.Scheme}://{request.Host}";
        return $"{origin}{request.PathBase}{TokenEndpoint.Path}";
    }
}
