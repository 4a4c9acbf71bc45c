using System.Net.Http.Headers;
using System.Text;
using Berth.Client.Credentials;

namespace Berth.Client.Authorization;

/// <summary>What a client knows of one registry: its address, how it wants to be signed in at, and the tokens it gave. May be used from many threads.</summary>
internal sealed class RegistrySession(string registry, Uri address, ICredentialSource credentials, TokenRequests tokens, TimeProvider time) : IDisposable
{
    private const int MaxTokens = 1000;

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<string, RegistryToken> known = new(StringComparer.Ordinal);
    private AuthenticationChallenge? challenge;
    private RegistryCredential? credential;
    private bool isCredentialKnown;

    public string Registry => registry;

    /// <summary>Address without a path.</summary>
    public Uri Address => address;

    /// <summary>The header for a request; null to send none.</summary>
    /// <param name="scope">What the request needs, such as <c>repository:shop/web:pull</c>.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<AuthenticationHeaderValue?> HeaderAsync(string scope, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            return challenge is null ? null : await HeaderOfAsync(challenge, scope, ct);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Takes note of a refusal (401). True when another try may succeed; false when everything there is was sent.</summary>
    /// <param name="challenges">What the registry asks for.</param>
    /// <param name="scope">What the request needs.</param>
    /// <param name="sent">The header of the refused request.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<bool> ChallengedAsync(IReadOnlyList<AuthenticationChallenge> challenges, string scope, AuthenticationHeaderValue? sent, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            // A bearer token says more exactly what it is for, and keeps the password to the token service.
            challenge = challenges.FirstOrDefault(static one => one.Scheme == "bearer") ?? challenges.FirstOrDefault(static one => one.Scheme == "basic");
            if (challenge is null) return false;
            // Another request may have fetched a new token meanwhile.
            if (sent is not null && known.TryGetValue(scope, out var old) && old.Value == sent.Parameter) known.Remove(scope);
            return await HeaderOfAsync(challenge, scope, ct) is { } header && (header.Scheme != sent?.Scheme || header.Parameter != sent.Parameter);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<AuthenticationHeaderValue?> HeaderOfAsync(AuthenticationChallenge asked, string scope, CancellationToken ct)
    {
        var who = await CredentialAsync(ct);
        if (asked.Scheme == "basic")
            return who is { HasPassword: true } ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{who.UserName}:{who.Password}"))) : null;
        if (who is { RegistryToken.Length: > 0 }) return new AuthenticationHeaderValue("Bearer", who.RegistryToken);
        if (known.TryGetValue(scope, out var token) && token.GoodUntil > time.GetUtcNow()) return new AuthenticationHeaderValue("Bearer", token.Value);
        if (known.Count >= MaxTokens) known.Clear();
        token = known[scope] = await tokens.GetAsync(registry, address, asked, scope, who, ct);
        return new AuthenticationHeaderValue("Bearer", token.Value);
    }

    private async Task<RegistryCredential?> CredentialAsync(CancellationToken ct)
    {
        if (isCredentialKnown) return credential;
        credential = await credentials.FindAsync(registry, ct);
        isCredentialKnown = true;
        return credential;
    }
}
