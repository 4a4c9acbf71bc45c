using System.Text;
using Azure.Core;
using Berth.Blobs.Azure;
using Berth.Blobs.Tests.Http;

namespace Berth.Blobs.Tests.Azure;

/// <summary>Settings, and what needs no server: connection strings, tokens, lent keys.</summary>
public sealed class AzureOptionsTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("AccountName=a;AccountKey=AAAA;EndpointSuffix=core.windows.net", "a", "AAAA", "https://a.blob.core.windows.net")]
    [InlineData("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AA==;BlobEndpoint=http://127.0.0.1:1/a;", "a", "AA==", "http://127.0.0.1:1/a")]
    [InlineData("BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D", "acc", "", "https://acc.blob.core.windows.net")]
    [InlineData("UseDevelopmentStorage=true;", "devstoreaccount1", null, "http://127.0.0.1:10000/devstoreaccount1")]
    public void A_connection_string_says_it_all(string text, string account, string? key, string endpoint)
    {
        var options = new AzureOptions { Container = "abc", ConnectionString = text };
        Assert.Empty(options.Validate());
        var resolved = options.Resolved();
        Assert.Equal((account, endpoint), (resolved.AccountName, resolved.Endpoint));
        if (key is not null) Assert.Equal(key, resolved.AccountKey);
    }

    [Fact]
    public void Settings_that_do_not_go_together_are_named()
    {
        Assert.Empty(new AzureOptions { Container = "abc", AccountName = "a" }.Validate());
        Assert.Equal("https://a.blob.core.chinacloudapi.cn", new AzureOptions { AccountName = "a", Realm = "core.chinacloudapi.cn" }.Endpoint);
        string[] Of(AzureOptions options) => [.. options.Validate().Select(p => p.Setting)];
        Assert.Equal(["Container", "AccountName"], Of(new AzureOptions()));
        var good = new AzureOptions { Container = "abc", AccountName = "a" };
        Assert.Equal(["AccountKey"], Of(good with { AccountKey = "***" }));
        Assert.Equal(["TenantId", "ClientId"], Of(good with { ClientSecret = "x" }));
        Assert.Equal(["CredentialsType"], Of(good with { CredentialsType = "x" }));
        Assert.Equal(["AccountKey"], Of(good with { CredentialsType = "shared_key" }));
        Assert.Equal(["ServiceUrl", "PartBytes"], Of(good with { ServiceUrl = "x", PartBytes = 1 }));
        Assert.Equal(["ConnectionString"], Of(good with { ConnectionString = "x" }));
    }

    [Fact]
    public async Task A_token_is_fetched_once_and_again_when_it_is_refused()
    {
        var tokens = new ScriptedCredential();
        await using var server = new ScriptedServer((request, _) => request.Headers["Authorization"] == "Bearer token-1"
            ? new ScriptedAnswer(401)
            : new ScriptedAnswer(201));
        using var client = Client(server, tokens);
        await client.PutAsync("a", new byte[1], None);
        await client.PutAsync("b", new byte[1], None);
        Assert.Equal((2, 3), (tokens.Asked, server.Requests));
    }

    /// <summary>No emulator lends keys without TLS, so the answer is a double's; what is signed with the key follows Azure's description of version 2020-12-06 and later.</summary>
    [Fact]
    public async Task A_URL_is_signed_with_a_key_that_Azure_lends_to_a_token()
    {
        var key = Convert.ToBase64String(Encoding.ASCII.GetBytes("the key that is lent for a day..."));
        await using var server = new ScriptedServer((request, body) =>
        {
            Assert.Equal("POST /?restype=service&comp=userdelegationkey", $"{request.HttpMethod} {request.RawUrl}");
            Assert.StartsWith("<KeyInfo><Start>", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
            return new ScriptedAnswer(200, $"""
                <?xml version="1.0" encoding="utf-8"?><UserDelegationKey><SignedOid>oid</SignedOid><SignedTid>tid</SignedTid><SignedStart>2026-01-01T00:00:00Z</SignedStart>
                <SignedExpiry>2026-01-02T00:00:00Z</SignedExpiry><SignedService>b</SignedService><SignedVersion>2021-12-02</SignedVersion><Value>{key}</Value></UserDelegationKey>
                """);
        });
        using var client = Client(server, new ScriptedCredential());
        var url = await client.SignReadAsync("k/1", TimeSpan.FromMinutes(5), None);
        await client.SignReadAsync("k/2", TimeSpan.FromMinutes(5), None);
        Assert.Equal(1, server.Requests);
        var query = url!.Query.TrimStart('?').Split('&').Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
        Assert.Equal(("oid", "tid", "b", "r", "b"), (query["skoid"], query["sktid"], query["sks"], query["sp"], query["sr"]));
        var signed = $"r\n{query["st"]}\n{query["se"]}\n/blob/a/abc/k/1\noid\ntid\n2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z\nb\n2021-12-02\n\n\n\n\nhttps,http\n2021-12-02\nb\n\n\n\n\n\n\n";
        Assert.Equal(Convert.ToBase64String(System.Security.Cryptography.HMACSHA256.HashData(Convert.FromBase64String(key), Encoding.UTF8.GetBytes(signed))), query["sig"]);
    }

    private static AzureClient Client(ScriptedServer server, TokenCredential credential)
    {
        var options = new AzureOptions { Container = "abc", AccountName = "a", ServiceUrl = server.Url.AbsoluteUri };
        return new AzureClient(options, new AzureToken(credential, TimeProvider.System), TimeProvider.System);
    }

    private sealed class ScriptedCredential : TokenCredential
    {
        public int Asked { get; private set; }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Assert.Equal(["https://storage.azure.com/.default"], requestContext.Scopes);
            return new AccessToken($"token-{++Asked}", TimeProvider.System.GetUtcNow().AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
