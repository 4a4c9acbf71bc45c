using System.Net;
using System.Security.Cryptography.X509Certificates;
using Berth.Server.Identity;
using Berth.Server.Identity.Certificates;
using Berth.Server.Identity.Proxy;
using Berth.Server.Platform.Http;
using Berth.Server.Tests.Platform.Http;

namespace Berth.Server.Tests.SignIn;

/// <summary>A trusted proxy's headers and certificates of clients, through the front door.</summary>
public sealed class RequestCredentialsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("192.0.2.1", HttpStatusCode.Unauthorized)]
    public async Task The_header_of_a_proxy_counts_when_it_is_trusted(string trusted, HttpStatusCode status)
    {
        await using var app = await SignInApp.StartAsync(Proxied(trusted));
        foreach (var path in new[] { "/v2/", "/api/berth/v1/sessions" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-User", "dora");
            request.Headers.Add("X-Groups", "dev,ops");
            using var answer = await app.Program().SendAsync(request, Ct);
            Assert.Equal(status, answer.StatusCode);
        }
        var user = await app.Users.FindAsync("dora", Ct);
        Assert.Equal(status == HttpStatusCode.OK ? "proxy" : null, user?.Source);
        Assert.Equal(status == HttpStatusCode.OK ? ["dev", "ops"] : [], await app.GroupsOfAsync("dora", Ct));
    }

    [Fact]
    public async Task Credentials_of_the_request_come_before_the_header_and_another_site_changes_nothing()
    {
        await using var app = await SignInApp.StartAsync(Proxied("127.0.0.1"));
        using var own = new HttpRequestMessage(HttpMethod.Get, "/api/berth/v1/sessions?all=true");
        own.Headers.Add("X-User", "admin");
        using var answer = await app.Program("local", "Local12345").SendAsync(own, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        foreach (var (site, status) in new[] { ("cross-site", HttpStatusCode.Forbidden), ("same-origin", HttpStatusCode.NoContent) })
        {
            using var change = new HttpRequestMessage(HttpMethod.Delete, "/api/berth/v1/sessions");
            change.Headers.Add("X-User", "local");
            change.Headers.Add("Sec-Fetch-Site", site);
            using var changed = await app.Program().SendAsync(change, Ct);
            Assert.Equal(status, changed.StatusCode);
        }
    }

    [Fact]
    public async Task A_certificate_of_our_authority_signs_in_and_others_do_not()
    {
        using var files = new TestCertificates();
        using var authority = TestCertificates.Authority("ours");
        using var other = TestCertificates.Authority("others");
        using var server = TestCertificates.Issue(authority, "localhost");
        files.Save(authority, "ca.pem", "ca.key");
        files.Save(server, "server.pem", "server.key");
        var tls = new TlsOptions { Certificate = files.Path("server.pem"), Key = files.Path("server.key"), ClientCas = [files.Path("ca.pem")], ClientAuth = ClientCertificateMode.Request };
        await using var app = await SignInApp.StartAsync(
            new IdentityOptions { ClientCertificate = new CertificateOptions { Enabled = true } },
            o => o with { Http = o.Http with { Urls = ["https://127.0.0.1:0"], Tls = tls } });
        using var builder = TestCertificates.Issue(authority, "builder", forClient: true);
        using var local = TestCertificates.Issue(authority, "local", forClient: true);
        using var stranger = TestCertificates.Issue(other, "admin", forClient: true);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(app, builder));
        Assert.Equal("certificate", (await app.Users.FindAsync("builder", Ct))!.Source);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(app, local));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(app, stranger));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(app, null));
    }

    private static IdentityOptions Proxied(string trusted) => new()
    {
        ProxyHeader = new ProxyHeaderOptions { UserHeader = "X-User", GroupsHeader = "X-Groups", TrustedNetworks = [trusted] },
    };

    private static async Task<HttpStatusCode> AskAsync(SignInApp app, X509Certificate2? certificate)
    {
        using var handler = new SocketsHttpHandler();
#pragma warning disable CA5359 // The server's certificate is one of the test.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using var usable = certificate is null ? null : X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        if (usable is not null) handler.SslOptions.ClientCertificates = [usable];
        using var client = new HttpClient(handler);
        using var answer = await client.GetAsync(new Uri(app.Address + "/v2/"), Ct);
        return answer.StatusCode;
    }
}
