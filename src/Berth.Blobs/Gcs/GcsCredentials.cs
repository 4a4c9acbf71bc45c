using System.Text.Json.Nodes;
using Berth.Blobs.Http;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;

namespace Berth.Blobs.Gcs;

/// <summary>Tokens and signatures of whoever the settings name: a service account's key, or Google's default credentials.</summary>
/// <param name="options">The settings.</param>
/// <param name="http">Calls IAM.</param>
/// <param name="credential">Whoever it is, where that is known already.</param>
internal sealed class GcsCredentials(GcsOptions options, StoreHttp http, GoogleCredential? credential = null) : IDisposable
{
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private GoogleCredential? _credential = credential;
    private string? _email;

    /// <summary>A token, which the library keeps until shortly before it ends.</summary>
    public async ValueTask<string> TokenAsync(CancellationToken ct)
    {
        var signedIn = await CredentialAsync(ct).ConfigureAwait(false);
        try
        {
            return await ((ITokenAccess)signedIn).GetAccessTokenForRequestAsync(null, ct).ConfigureAwait(false);
        }
        catch (TokenResponseException e)
        {
            throw new IOException($"no sign-in to Google Cloud ({e.Message.ReplaceLineEndings(" ")}): check the store's credentials", e);
        }
        catch (HttpRequestException e)
        {
            throw new StoreUnavailableException($"no sign-in to Google Cloud ({e.Message}): check that its token service can be reached from here", e);
        }
    }

    /// <summary>Whose signatures <see cref="SignAsync"/> makes; null where there is nobody.</summary>
    public async ValueTask<string?> SignerAsync(CancellationToken ct)
    {
        var signedIn = await CredentialAsync(ct).ConfigureAwait(false);
        if (signedIn.UnderlyingCredential is ServiceAccountCredential account) return account.Id;
        if (options.SignerEmail.Length > 0) return options.SignerEmail;
        if (signedIn.UnderlyingCredential is not ComputeCredential compute) return null;
        try
        {
            return _email ??= await compute.GetDefaultServiceAccountEmailAsync(ct).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new StoreUnavailableException($"the metadata server does not say which service account this is ({e.Message}): set signerEmail", e);
        }
    }

    /// <summary>An RSA signature with SHA-256: by the key here, or by IAM.</summary>
    public async ValueTask<byte[]> SignAsync(string signer, byte[] bytes, CancellationToken ct)
    {
        var signedIn = await CredentialAsync(ct).ConfigureAwait(false);
        if (signedIn.UnderlyingCredential is ServiceAccountCredential account)
            return Convert.FromBase64String(await account.SignBlobAsync(bytes, ct).ConfigureAwait(false));
        var address = $"{options.IamEndpoint.TrimEnd('/')}/v1/projects/-/serviceAccounts/{Uri.EscapeDataString(signer)}:signBlob";
        var body = new JsonObject { ["payload"] = Convert.ToBase64String(bytes) }.ToJsonString();
        var answer = await http.SendAsync(async again =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new MemoryContent(System.Text.Encoding.UTF8.GetBytes(body), "application/json") };
            request.Headers.Authorization = new("Bearer", await TokenAsync(again).ConfigureAwait(false));
            return request;
        }, ct).ConfigureAwait(false);
        if (!answer.IsSuccess) throw http.Refused(answer, $"to sign in the name of {signer} (role: Service Account Token Creator)");
        return Convert.FromBase64String((string?)JsonNode.Parse(answer.Body)?["signedBlob"] ?? throw new IOException("IAM answered without a signature"));
    }

    public void Dispose() => _gate.Dispose();

    private async ValueTask<GoogleCredential> CredentialAsync(CancellationToken ct)
    {
        if (_credential is { } known) return known;
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return _credential ??= await OpenAsync(ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or Newtonsoft.Json.JsonException or FormatException)
        {
            throw new IOException($"no credentials for Google Cloud ({e.Message.ReplaceLineEndings(" ")}): name a key file, or run where Google gives default credentials", e);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<GoogleCredential> OpenAsync(CancellationToken ct)
    {
        var json = options.KeyFile.Length > 0 ? await File.ReadAllTextAsync(options.KeyFile, ct).ConfigureAwait(false) : options.CredentialsJson;
        if (json.Length == 0) return (await GoogleCredential.GetApplicationDefaultAsync(ct).ConfigureAwait(false)).CreateScoped(Scope);
        // A key that is named is a service account's: other kinds may call programs and addresses of their own.
        return CredentialFactory.FromJson<ServiceAccountCredential>(json).ToGoogleCredential().CreateScoped(Scope);
    }
}
