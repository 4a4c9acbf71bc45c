using Berth.Server.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Registry;

/// <summary>
/// Callers that only say their name (<c>Authorization: Name alice</c>). Whoever is named may do what <paramref name="may"/> allows;
/// <c>Name wrong</c> stands for bad credentials, <c>Name slow</c> for too many of them, <c>Name token</c> for a token without grants.
/// </summary>
internal sealed class NamedCallers(Func<string, string, RepositoryAction, bool> may) : ICallerSource
{
    public static Action<IServiceCollection> Allow(Func<string, string, RepositoryAction, bool> may) => services => services.AddSingleton<ICallerSource>(new NamedCallers(may));

    public static (string, string) As(string name) => ("Authorization", "Name " + name);

    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var result = header.Length < 6 ? new SignInResult(Caller.Anonymous) : header[5..] switch
        {
            "wrong" => SignInResult.Refused,
            "slow" => new SignInResult(null, TimeSpan.FromSeconds(2.5)),
            "token" => new SignInResult(new Caller("token:token", "token", isAdmin: false, [])),
            var name => new SignInResult(new Caller("test:" + name, name, isAdmin: false, grants: null)),
        };
        return ValueTask.FromResult(result);
    }

    public ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct) => new(RepositoryRights.Plain(
        repository, may(caller.Name, repository, RepositoryAction.Pull), may(caller.Name, repository, RepositoryAction.Push), may(caller.Name, repository, RepositoryAction.Delete)));

    public bool MayListCatalog(Caller caller) => caller.Grants is null && !caller.IsAnonymous;

    public ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct) => new(may(caller.Name, repository, RepositoryAction.Pull));

    public bool MayUseApi(Caller caller) => !caller.IsAnonymous;

    public string Challenge(HttpContext context, string scope, string? error) => $"Name realm=\"test\",scope=\"{scope}\"" + (error is null ? "" : $",error=\"{error}\"");
}
