using Berth.Server.Platform.Http;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access;

/// <summary>
/// Accounts and projects in the database and Berth's own token service (mode <c>local</c>). Basic credentials and bearer tokens are both taken on /v2/;
/// the challenge asks for a token, as all clients expect. A repository without a project in its name is one of <c>library</c>.
/// </summary>
internal sealed class LocalAccess(
    AccessOptions options, HttpOptions http, ProjectDefaults projects, LocalCallers callers, PasswordSignIn passwords, BearerSignIn bearers, RightsCache rights,
    IEnumerable<IRequestCredentials> byRequest)
    : ICallerSource
{
    private readonly PasswordSignIn.Check _password = callers.CheckPasswordAsync;
    private readonly PasswordSignIn.Check _outside = callers.CheckOutsideAsync;
    private readonly BearerSignIn.Check _token = callers.CheckTokenAsync;
    private readonly IRequestCredentials[] _byRequest = [.. byRequest];

    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
    {
        foreach (var credentials in _byRequest) credentials.Prepare(context);
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length == 0)
            return _byRequest.Length == 0 ? new ValueTask<SignInResult>(new SignInResult(Caller.Anonymous)) : SignInByRequestAsync(context, ct);
        return Bearer.IsBearer(authorization)
            ? bearers.SignInAsync(authorization, _token, ct)
            : passwords.SignInAsync(authorization, context.Connection.RemoteIpAddress, _password, _outside, ct);
    }

    private async ValueTask<SignInResult> SignInByRequestAsync(HttpContext context, CancellationToken ct)
    {
        foreach (var credentials in _byRequest)
        {
            if (await credentials.SignInAsync(context, ct).ConfigureAwait(false) is { } result) return result;
        }
        return new SignInResult(Caller.Anonymous);
    }

    public async ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct)
    {
        var name = repository.Contains('/', StringComparison.Ordinal) ? repository : $"{ProjectName.Library}/{repository}";
        var project = await rights.FindProjectAsync(ProjectName.Of(name), ct).ConfigureAwait(false);
        if (project is not null && !name.AsSpan(0, name.IndexOf('/', StringComparison.Ordinal)).SequenceEqual(project.Name)) name = $"{project.Name}/{ProjectName.WithoutProject(name)}";
        var current = await rights.CurrentNameAsync(name, ct).ConfigureAwait(false);
        if (!ReferenceEquals(current, name))
        {
            name = current;
            project = await rights.FindProjectAsync(ProjectName.Of(name), ct).ConfigureAwait(false);
        }
        var granted = Granted(caller, repository);
        if (project is null)
        {
            var seed = await projects.SeedForAsync(caller, ct).ConfigureAwait(false);
            return new RepositoryRights(name, null, null, seed is null ? RuleActions.None : granted & (RuleActions.Pull | RuleActions.Push), seed);
        }
        var own = await rights.OfAsync(caller, project, ct).ConfigureAwait(false);
        return new RepositoryRights(name, project, own, granted & AccessRules.AllWithoutTag(own, ProjectName.WithoutProject(name)), null);
    }

    public bool MayListCatalog(Caller caller) => caller.Grants is { } grants ? Grants.AllowCatalog(grants) : !caller.IsAnonymous;

    // A token for the catalog shows what its owner may pull, and opens none of it.
    public async ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct)
    {
        if (await rights.FindProjectAsync(ProjectName.Of(repository), ct).ConfigureAwait(false) is not { } project) return false;
        var own = await rights.OfAsync(caller, project, ct).ConfigureAwait(false);
        return AccessRules.DecideWithoutTag(own, ProjectName.WithoutProject(repository), RuleActions.Pull).IsAllowed;
    }

    /// <remarks>
    /// False without credentials even where anybody may pull: clients learn from the challenge of <c>/v2/</c> where to sign in, and would
    /// later push without having done so. They come back with an anonymous token.
    /// </remarks>
    public bool MayUseApi(Caller caller) => caller.Grants is not null || !caller.IsAnonymous;

    public string Challenge(HttpContext context, string scope, string? error) =>
        Bearer.Challenge(RealmOf(context.Request), options.Service, scope, error);

    private static RuleActions Granted(Caller caller, string repository)
    {
        const RuleActions All = RuleActions.Pull | RuleActions.Push | RuleActions.Delete | RuleActions.Create | RuleActions.Retag;
        if (caller.Grants is not { } grants) return All;
        return (Grants.Allow(grants, repository, RepositoryAction.Pull) ? RuleActions.Pull : 0)
            | (Grants.Allow(grants, repository, RepositoryAction.Push) ? RuleActions.Push | RuleActions.Create | RuleActions.Retag : 0)
            | (Grants.Allow(grants, repository, RepositoryAction.Delete) ? RuleActions.Delete : 0);
    }

    private string RealmOf(HttpRequest request) => $"{http.OriginOf(request)}{request.PathBase}{TokenEndpoint.Path}";
}
