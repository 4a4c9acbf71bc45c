using Microsoft.AspNetCore.Http;

namespace Berth.Server.Access;

/// <summary>Everybody may do everything, as Docker Registry without an <c>auth</c> section (mode <c>open</c>).</summary>
internal sealed class OpenAccess : ICallerSource
{
    public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct) => new(new SignInResult(Caller.Anonymous));

    public ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct) => new(RepositoryRights.Plain(repository, true, true, true));

    public bool MayListCatalog(Caller caller) => true;

    public ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct) => new(true);

    public bool MayUseApi(Caller caller) => true;

    public string Challenge(HttpContext context, string scope, string? error) => "";
}
