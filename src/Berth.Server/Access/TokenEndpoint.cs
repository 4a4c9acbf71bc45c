using System.Buffers;
using System.Data.Common;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Access;

/// <summary>
/// Berth's own token service (Docker token specification): <c>GET</c> with Basic credentials or none, <c>POST</c> in the manner of OAuth2
/// with a password, a refresh token, or a token of a trusted issuer (RFC 8693).
/// 1. Is the request well formed? 2. Who asks? 3. What is granted: the wish cut to the rights. 4. The signed answer.
/// A wish that is not granted is no error: the token simply grants less.
/// </summary>
internal sealed class TokenEndpoint(
    AccessOptions options, ICallerSource access, LocalCallers callers, LocalTokens tokens, PasswordSignIn passwords, AccessCounters counters)
{
    /// <summary>Where the service is.</summary>
    public const string Path = "/service/token";

    /// <summary>Where its public keys are.</summary>
    public const string KeysPath = Path + "/jwks";

    // Scripts written for Harbor name its service without having been challenged.
    private const string HarborService = "harbor-registry";
    private const int MaxFormBytes = 64 * 1024;
    private static readonly FormOptions FormLimits = new() { ValueCountLimit = 64, KeyLengthLimit = 256, ValueLengthLimit = MaxFormBytes, BufferBodyLengthLimit = MaxFormBytes };

    private const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private static readonly string[] TokenTypes = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:access_token"];

    private readonly PasswordSignIn.Check _password = callers.CheckPasswordAsync;
    private readonly PasswordSignIn.Check _outside = callers.CheckOutsideAsync;

    /// <summary>Docker token specification, "Requesting a Token".</summary>
    public Task GetAsync(HttpContext context) => AnswerOrRefuseAsync(context, GetOnceAsync);

    private async Task GetOnceAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        Describe(context);
        // 1.
        var query = context.Request.Query;
        if (ProblemOf(query["service"], query["scope"], out var wanted) is { } problem)
        {
            await RefuseAsync(context, problem, ct).ConfigureAwait(false);
            return;
        }
        // 2.
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length == 0)
        {
            await AnswerAsync(context, Caller.Anonymous, wanted, refreshToken: null, isExchange: false, ct).ConfigureAwait(false);
            return;
        }
        var (caller, refusal) = await SignInAsync(context, authorization, ct).ConfigureAwait(false);
        if (caller is null)
        {
            await RefuseAsync(context, refusal!, ct).ConfigureAwait(false);
            return;
        }
        // 3. and 4.
        var refreshToken = query["offline_token"] == "true" && MayRefresh(caller) ? await tokens.IssueRefreshAsync(caller, ct).ConfigureAwait(false) : null;
        await AnswerAsync(context, caller, wanted, refreshToken, isExchange: false, ct).ConfigureAwait(false);
    }

    /// <summary>Docker token specification, "Authenticate with OAuth2"; RFC 6749 sections 4.3 and 6; RFC 8693.</summary>
    public Task PostAsync(HttpContext context) => AnswerOrRefuseAsync(context, PostOnceAsync);

    private async Task PostOnceAsync(HttpContext context)
    {
        var ct = context.RequestAborted;
        Describe(context);
        // 1.
        if (await ReadFormAsync(context, ct).ConfigureAwait(false) is not { } form)
        {
            await RefuseAsync(context, Problem.Malformed("the body must be a form (application/x-www-form-urlencoded) of at most 64 KiB"), ct).ConfigureAwait(false);
            return;
        }
        if (ProblemOf(form["service"], form["scope"], out var wanted) is { } problem)
        {
            await RefuseAsync(context, problem, ct).ConfigureAwait(false);
            return;
        }
        // 2.
        var (caller, refusal) = form["grant_type"].ToString() switch
        {
            "password" => await SignInAsync(context, new BasicCredentials(form["username"].ToString(), form["password"].ToString()).ToHeader(), ct).ConfigureAwait(false),
            "refresh_token" => (await callers.CheckRefreshTokenAsync(form["refresh_token"].ToString(), ct).ConfigureAwait(false),
                Problem.Unauthorized("the refresh token is wrong, expired or revoked by a new password: sign in again")),
            TokenExchange => await ExchangeAsync(context, form, ct).ConfigureAwait(false),
            _ => (null, new Problem(StatusCodes.Status400BadRequest, "UNSUPPORTED", "unsupported_grant_type", $"grant_type must be password, refresh_token or {TokenExchange}")),
        };
        if (caller is { MustChangePassword: true }) (caller, refusal) = (null, Problem.PasswordChange);
        if (caller is null)
        {
            await RefuseAsync(context, refusal!, ct).ConfigureAwait(false);
            return;
        }
        // 3. and 4. A refresh token is given back, not prolonged.
        var refreshToken = form["grant_type"] == "refresh_token" ? form["refresh_token"].ToString()
            : form["access_type"] == "offline" && form["grant_type"] == "password" && MayRefresh(caller) ? await tokens.IssueRefreshAsync(caller, ct).ConfigureAwait(false)
            : null;
        await AnswerAsync(context, caller, wanted, refreshToken, form["grant_type"] == TokenExchange, ct).ConfigureAwait(false);
    }

    /// <summary>The public keys, for whoever wants to verify our tokens.</summary>
    public async Task GetKeysAsync(HttpContext context)
    {
        Describe(context);
        var body = new ArrayBufferWriter<byte>(512);
        await tokens.WriteKeysAsync(body, context.RequestAborted).ConfigureAwait(false);
        await SendAsync(context, "application/jwk-set+json", body, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task AnswerOrRefuseAsync(HttpContext context, Func<HttpContext, Task> answer)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await answer(context).ConfigureAwait(false);
                return;
            }
            catch (DbException e) when (DatabaseFailure.IsPassing(e) && !context.Response.HasStarted)
            {
                // The first to find that the database is away: what is remembered may do.
                if (attempt == 1 && e is not DatabaseAwayException) continue;
                await RefuseAsync(context, Problem.Unavailable("the database is out of order: try again"), context.RequestAborted).ConfigureAwait(false);
                return;
            }
        }
    }

    private Problem? ProblemOf(StringValues service, IEnumerable<string?> scopes, out IReadOnlyList<TokenGrant> wanted)
    {
        if (!ResourceScope.TryParse(scopes, out wanted)) return Problem.Malformed("scope is malformed: it must look like repository:NAME:pull,push");
        return service.Count > 0 && service.ToString() is var name && name != options.Service && name != HarborService
            ? Problem.Malformed($"tokens are given for the service {options.Service} only")
            : null;
    }

    // RFC 8693 section 2.1. The token of a trusted issuer is the password of the robot that it stands for, whatever the name.
    private async ValueTask<(Caller? Caller, Problem? Refusal)> ExchangeAsync(HttpContext context, IFormCollection form, CancellationToken ct)
    {
        var token = form["subject_token"].ToString();
        if (token.Length == 0 || !TokenTypes.Contains(form["subject_token_type"].ToString()))
            return (null, Problem.Malformed($"subject_token is needed, and subject_token_type must be one of {string.Join(", ", TokenTypes)}"));
        if (form["requested_token_type"] is { Count: > 0 } wanted && wanted != TokenTypes[2]) return (null, Problem.Malformed($"requested_token_type can be {TokenTypes[2]} only"));
        var (caller, refusal) = await SignInAsync(context, new BasicCredentials("token", token).ToHeader(), ct).ConfigureAwait(false);
        return caller is null && refusal!.Status == StatusCodes.Status401Unauthorized
            ? (null, Problem.Unauthorized("the subject token stands for no robot account: its issuer, audience, times or claims are not what a trust asks for"))
            : (caller, refusal);
    }

    // Credentials that end by themselves must not buy tokens that go on.
    private static bool MayRefresh(Caller caller) => caller.Stamp is not null;

    private async ValueTask<(Caller? Caller, Problem? Refusal)> SignInAsync(HttpContext context, string authorization, CancellationToken ct)
    {
        SignInResult result;
        try
        {
            result = await passwords.SignInAsync(authorization, context.Connection.RemoteIpAddress, _password, _outside, ct).ConfigureAwait(false);
        }
        catch (SignInUnavailableException)
        {
            return (null, Problem.Unavailable(SignInUnavailableException.Answer));
        }
        if (result.RetryAfter is { } wait) return (null, Problem.TooMany(wait));
        var caller = result.Caller is { } known ? await callers.RenewAsync(known, ct).ConfigureAwait(false) : null;
        return caller is null ? (null, Problem.Unauthorized("wrong user name or password"))
            : caller.MustChangePassword ? (null, Problem.PasswordChange)
            : (caller, null);
    }

    private async Task AnswerAsync(HttpContext context, Caller caller, IReadOnlyList<TokenGrant> wanted, string? refreshToken, bool isExchange, CancellationToken ct)
    {
        RequestFacts.Of(context).Caller = caller.IsAnonymous ? null : caller.Name;
        var granted = await GrantAsync(caller, wanted, ct).ConfigureAwait(false);
        var token = await tokens.IssueAccessAsync(caller.IsAnonymous ? null : caller, granted, ct).ConfigureAwait(false);
        counters.CountTokenIssued();
        var lifetime = await tokens.AccessLifetimeAsync(ct).ConfigureAwait(false);
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("token", token.Text);
            json.WriteString("access_token", token.Text);
            json.WriteNumber("expires_in", (long)lifetime.TotalSeconds);
            json.WriteString("issued_at", token.IssuedAt.UtcDateTime);
            json.WriteString("token_type", "Bearer");
            if (isExchange) json.WriteString("issued_token_type", TokenTypes[2]);
            json.WriteString("scope", ResourceScope.Format(granted));
            if (refreshToken is not null) json.WriteString("refresh_token", refreshToken);
            json.WriteEndObject();
        }
        await SendAsync(context, "application/json", body, ct).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<TokenGrant>> GrantAsync(Caller caller, IReadOnlyList<TokenGrant> wanted, CancellationToken ct)
    {
        var rights = new Dictionary<string, RepositoryRights>(StringComparer.Ordinal);
        foreach (var grant in wanted)
        {
            if (grant.Type == Grants.Repository && RepositoryName.IsValid(grant.Name) && !rights.ContainsKey(grant.Name))
                rights.Add(grant.Name, await access.RightsAsync(caller, grant.Name, ct).ConfigureAwait(false));
        }
        return Grants.Intersect(wanted, (name, action) => rights[name].May(action), access.MayListCatalog(caller), caller is { IsAdmin: true, Scopes: null });
    }

    // The answer speaks both languages: the registry's error list, which docker shows, and OAuth2's (RFC 6749 section 5.2).
    private async Task RefuseAsync(HttpContext context, Problem problem, CancellationToken ct)
    {
        context.Response.StatusCode = problem.Status;
        if (problem.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = $"Basic realm={HttpQuoting.Quote(options.Realm)}";
        if (problem.RetryAfter is { } wait) context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString();
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteStartArray("errors");
            json.WriteStartObject();
            json.WriteString("code", problem.Code);
            json.WriteString("message", problem.Message);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("error", problem.OAuthError);
            json.WriteString("error_description", problem.Message);
            json.WriteEndObject();
        }
        await SendAsync(context, "application/json", body, ct).ConfigureAwait(false);
    }

    private static void Describe(HttpContext context) => RequestFacts.Of(context).Route = "token";

    // RFC 6749 section 5.1: no cache may keep a token.
    private static async Task SendAsync(HttpContext context, string contentType, ArrayBufferWriter<byte> body, CancellationToken ct)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, ct).ConfigureAwait(false);
    }

    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxFormBytes;
        if (!context.Request.HasFormContentType) return null;
        try
        {
            return await context.Request.ReadFormAsync(FormLimits, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    private sealed record Problem(int Status, string Code, string OAuthError, string Message, TimeSpan? RetryAfter = null)
    {
        public static Problem Malformed(string message) => new(StatusCodes.Status400BadRequest, "UNSUPPORTED", "invalid_request", message);

        public static Problem Unauthorized(string message) => new(StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "invalid_grant", message);

        public static Problem PasswordChange { get; } = new(
            StatusCodes.Status403Forbidden, "DENIED", "invalid_grant", "choose a new password before anything else: sign in to the web page or the API");
        public static Problem Unavailable(string message) =>
            new(StatusCodes.Status503ServiceUnavailable, "UNAVAILABLE", "temporarily_unavailable", message, TimeSpan.FromSeconds(5));

        public static Problem TooMany(TimeSpan wait) =>
            new(StatusCodes.Status429TooManyRequests, "TOOMANYREQUESTS", "slow_down", "too many failed sign-ins: try again later", wait);
    }
}
