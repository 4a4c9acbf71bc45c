using System.Globalization;
using System.Net;
using System.Text.Json;
using Berth.Blobs.Http;

namespace Berth.Blobs.Swift;

/// <summary>Signs in at Keystone or at Swift's own service, and keeps the token until shortly before its end or until the store refuses it.</summary>
internal sealed class SwiftSignIn(SwiftOptions options, StoreHttp http, TimeProvider time) : IDisposable
{
    // Well before the end, so that nothing that runs long ends with it.
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UnknownLifetime = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _one = new(1, 1);
    private SwiftToken? _token;

    /// <summary>The token, renewed where it is due.</summary>
    public async ValueTask<SwiftToken> GetAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _token) is { } token && IsFresh(token)) return token;
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_token is { } other && IsFresh(other)) return other;
            var renewed = options.IsKeystone ? await AskKeystoneAsync(ct).ConfigureAwait(false) : await AskSwiftAsync(ct).ConfigureAwait(false);
            Volatile.Write(ref _token, renewed);
            return renewed;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The store refused this token: the next caller gets another.</summary>
    public void Forget(SwiftToken refused) => Interlocked.CompareExchange(ref _token, null, refused);

    public void Dispose() => _one.Dispose();

    // A token that lives shorter than the margin is used until its end.
    private bool IsFresh(SwiftToken token) => time.GetUtcNow() < token.ExpiresAt;

    private DateTimeOffset RenewAt(DateTimeOffset expires)
    {
        var now = time.GetUtcNow();
        return expires - now > RenewBefore * 2 ? expires - RenewBefore : now + ((expires - now) / 2);
    }

    private async Task<SwiftToken> AskSwiftAsync(CancellationToken ct)
    {
        var answer = await http.SendAsync(_ =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, options.AuthUrl);
            request.Headers.TryAddWithoutValidation("X-Auth-User", options.Username);
            request.Headers.TryAddWithoutValidation("X-Auth-Key", options.Password);
            return ValueTask.FromResult(request);
        }, ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw Refused(answer);
        if (answer.Header("X-Auth-Token") is not { } token || answer.Header("X-Storage-Url") is not { } url)
            throw new IOException($"{options.AuthUrl} answers a sign-in without token and storage URL: check authUrl and authVersion");
        var seconds = int.TryParse(answer.Header("X-Auth-Token-Expires"), CultureInfo.InvariantCulture, out var known) ? known : (int)UnknownLifetime.TotalSeconds;
        return new SwiftToken(token, url.TrimEnd('/'), RenewAt(time.GetUtcNow().AddSeconds(seconds)));
    }

    private async Task<SwiftToken> AskKeystoneAsync(CancellationToken ct)
    {
        var url = options.AuthUrl.TrimEnd('/') + (options.AuthUrl.Contains("/v3", StringComparison.Ordinal) ? "/auth/tokens" : "/v3/auth/tokens");
        var body = JsonSerializer.SerializeToUtf8Bytes(new Keystone.Request(new Keystone.Auth(IdentityOf(), ScopeOf())), KeystoneJson.Default.Request);
        var answer = await http.SendAsync(
            _ => ValueTask.FromResult(new HttpRequestMessage(HttpMethod.Post, url) { Content = new MemoryContent(body, "application/json") }), ct).ConfigureAwait(false);
        if (answer.Status != HttpStatusCode.Created && answer.Status != HttpStatusCode.OK) throw Refused(answer);
        var token = Read(answer)?.Token;
        if (token is null || answer.Header("X-Subject-Token") is not { } subject) throw new IOException($"{url} answers a sign-in without a token: check authUrl and authVersion");
        return new SwiftToken(subject, StorageUrlOf(token.Catalog ?? []), RenewAt(token.ExpiresAt ?? (time.GetUtcNow() + UnknownLifetime)));
    }

    private static Keystone.Answer? Read(StoreAnswer answer)
    {
        try
        {
            return JsonSerializer.Deserialize(answer.Body, KeystoneJson.Default.Answer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string StorageUrlOf(IReadOnlyList<Keystone.CatalogEntry> catalog)
    {
        var endpoints = catalog.Where(s => s.Type == "object-store").SelectMany(s => s.Endpoints ?? []).Where(e => e.Interface == options.EndpointType && e.Url is { Length: > 0 }).ToList();
        var found = options.Region.Length == 0 ? endpoints.FirstOrDefault() : endpoints.Find(e => e.Region == options.Region || e.RegionId == options.Region);
        if (found is not null) return found.Url!.TrimEnd('/');
        var regions = string.Join(", ", endpoints.Select(e => e.Region ?? e.RegionId).Distinct());
        throw new IOException($"the catalog of {options.AuthUrl} has no {options.EndpointType} object-store{(options.Region.Length > 0 ? $" in region {options.Region}" : "")}"
            + (regions.Length > 0 ? $": set region to one of {regions}" : ": check project, region and endpointType"));
    }

    private Keystone.Identity IdentityOf()
    {
        if (options.ApplicationCredentialSecret.Length == 0) return new Keystone.Identity(["password"], new Keystone.Password(UserOf(options.Password)), null);
        var hasId = options.ApplicationCredentialId.Length > 0;
        return new Keystone.Identity(["application_credential"], null, new Keystone.ApplicationCredential(
            hasId ? options.ApplicationCredentialId : null, hasId ? null : options.ApplicationCredentialName, options.ApplicationCredentialSecret, hasId ? null : UserOf(null)));
    }

    private Keystone.User UserOf(string? password) => options.UserId.Length > 0
        ? new Keystone.User(options.UserId, null, null, password)
        : new Keystone.User(null, options.Username, DomainOf(options.DomainId, options.Domain) ?? new Keystone.Named(null, "Default"), password);

    private Keystone.Scope? ScopeOf()
    {
        // An application credential has the project that it was made for.
        if (options.ApplicationCredentialSecret.Length > 0) return null;
        if (options.TrustId.Length > 0) return new Keystone.Scope(null, new Keystone.Named(options.TrustId, null));
        if (options.TenantId.Length > 0) return new Keystone.Scope(new Keystone.Project(options.TenantId, null, null), null);
        if (options.Tenant.Length == 0) return null;
        var domain = DomainOf(options.TenantDomainId, options.TenantDomain) ?? DomainOf(options.DomainId, options.Domain) ?? new Keystone.Named(null, "Default");
        return new Keystone.Scope(new Keystone.Project(null, options.Tenant, domain), null);
    }

    private static Keystone.Named? DomainOf(string id, string name) =>
        id.Length > 0 ? new Keystone.Named(id, null) : name.Length > 0 ? new Keystone.Named(null, name) : null;

    private IOException Refused(StoreAnswer answer) => http.Refused(answer, $"the sign-in at {options.AuthUrl}");
}
