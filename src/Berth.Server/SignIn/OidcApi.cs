using System.Net.Sockets;
using Berth.Server.Api;
using Berth.Server.Identity.Issuers;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// Harbor's operation that tries an OpenID provider, and the list of providers that a sign-in page shows. A try is for administrators, ends within ten seconds, and says
/// no more than yes or no; where <c>outgoing.allow</c> is set, the address must be one of it.
/// </summary>
internal sealed class OidcApi(OidcProviders providers, SignInSettings settings, OutgoingGuard guard, TimeProvider time)
{
    public IEnumerable<ApiOperation> Operations() =>
    [
        new("POST", "/system/oidc/ping", "pingOIDC", "oidc", ApiNeed.Admin, PingAsync)
        {
            Body = typeof(OidcPingRequest), Summary = "Tries whether there is an OpenID provider at an address",
        },
        new("GET", "/sign-in/providers", "listSignInProviders", "session", ApiNeed.Anybody, ListAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Names of the OpenID providers that people may sign in with",
        },
    ];

    private async Task<ApiResult> PingAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(SignInJson.Default.OidcPingRequest, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (string.IsNullOrEmpty(body.Url)) return ApiResult.BadRequest("failed to verify connection");
        using var client = IssuerHttp.CreateClient(body.VerifyCert, null);
        return await MayTryAsync(body.Url, ct).ConfigureAwait(false) && await OidcProviders.PingAsync(body.Url, new IssuerHttp(() => client, time), ct).ConfigureAwait(false) is null
            ? ApiResult.Done
            : ApiResult.BadRequest("failed to verify connection");
    }

    private async ValueTask<bool> MayTryAsync(string url, CancellationToken ct)
    {
        try
        {
            return Uri.TryCreate(url, UriKind.Absolute, out var address) && await guard.ProblemOfTryAsync(address.IdnHost, ct).ConfigureAwait(false) is null;
        }
        catch (SocketException)
        {
            // Nobody has that name.
            return false;
        }
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        await settings.RefreshAsync(ct).ConfigureAwait(false);
        return ApiResult.Ok(providers.All.Select(p => p.Name).ToList(), SignInJson.Default.ListString);
    }
}
