using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Platform.Http;

public sealed class TlsListenerTests : IDisposable
{
    private readonly TestCertificates _files = new();
    private readonly X509Certificate2 _authority = TestCertificates.Authority("test authority");

    public void Dispose()
    {
        _files.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not()
    {
        _files.Save(TestCertificates.Issue(_authority, "first"), "cert.pem", "key.pem");
        await using var host = await ListeningHost.StartAsync(Https(), context => context.Response.WriteAsync("ok"));
        var address = host.Addresses[0];
        Assert.Equal("CN=first", await ServerName(address));

        File.WriteAllText(_files.Path("cert.pem"), "-----BEGIN CERTIFICATE-----\nhalf a fi");
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal("CN=first", await ServerName(address));

        _files.Save(TestCertificates.Issue(_authority, "second"), "cert.pem", "key.pem");
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal("CN=second", await ServerName(address));

        var (errors, _) = await host.StopAsync();
        Assert.Contains("certificate not reloaded", errors);
        Assert.Contains("certificate reloaded", errors);
    }

    [Theory]
    [InlineData(ClientCertificateMode.Request, true, true, true)]
    [InlineData(ClientCertificateMode.RequireAny, false, true, true)]
    [InlineData(ClientCertificateMode.VerifyIfGiven, true, false, true)]
    [InlineData(ClientCertificateMode.RequireAndVerify, false, false, true)]
    public async Task A_client_certificate_is_asked_for_by_mode(ClientCertificateMode mode, bool none, bool stranger, bool known)
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        File.WriteAllText(_files.Path("ca.pem"), _authority.ExportCertificatePem());
        using var otherAuthority = TestCertificates.Authority("somebody else");
        var options = Https(tls => tls with { ClientCas = [_files.Path("ca.pem")], ClientAuth = mode });
        await using var host = await ListeningHost.StartAsync(options, context => context.Response.WriteAsync("ok"));

        Assert.Equal(none, await Answers(host.Addresses[0], null));
        Assert.Equal(stranger, await Answers(host.Addresses[0], TestCertificates.Issue(otherAuthority, "stranger", forClient: true)));
        Assert.Equal(known, await Answers(host.Addresses[0], TestCertificates.Issue(_authority, "known", forClient: true)));
    }

    [Fact]
    public async Task A_server_certificate_of_the_authority_is_no_client_certificate()
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        File.WriteAllText(_files.Path("ca.pem"), _authority.ExportCertificatePem());
        await using var host = await ListeningHost.StartAsync(Https(tls => tls with { ClientCas = [_files.Path("ca.pem")] }), context => context.Response.WriteAsync("ok"));
        Assert.False(await Answers(host.Addresses[0], TestCertificates.Issue(_authority, "a server", forClient: false)));
    }

    [Theory]
    [InlineData(true, "HTTP/2")]
    [InlineData(false, "HTTP/1.1")]
    public async Task Http2_is_negotiated_when_it_is_on(bool http2, string expected)
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        await using var host = await ListeningHost.StartAsync(Https() with { Http2 = http2 }, context => context.Response.WriteAsync(context.Request.Protocol));
        using var client = Client(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Addresses[0])
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(expected, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_protocol_below_the_minimum_is_refused()
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        await using var host = await ListeningHost.StartAsync(Https(tls => tls with { MinimumVersion = "tls1.3" }), context => context.Response.WriteAsync("ok"));
        Assert.True(await Answers(host.Addresses[0], null, SslProtocols.Tls13));
        Assert.False(await Answers(host.Addresses[0], null, SslProtocols.Tls12));
    }

    [Fact]
    public async Task Only_the_named_cipher_suites_are_spoken()
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        var options = Https(tls => tls with { CipherSuites = ["TLS_AES_256_GCM_SHA384"] });
        await using var host = await ListeningHost.StartAsync(options, context =>
            context.Response.WriteAsync(context.Features.Get<Microsoft.AspNetCore.Connections.Features.ITlsHandshakeFeature>()!.NegotiatedCipherSuite.ToString()!));
        using var client = Client(null);
        Assert.Equal("TLS_AES_256_GCM_SHA384", await client.GetStringAsync(host.Addresses[0], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_missing_key_stops_the_start_with_its_name()
    {
        _files.Save(TestCertificates.Issue(_authority, "server"), "cert.pem", "key.pem");
        File.Delete(_files.Path("key.pem"));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ListeningHost.StartAsync(Https(), _ => Task.CompletedTask));
        Assert.Contains("key.pem", failure.Message);
    }

    private HttpOptions Https(Func<TlsOptions, TlsOptions>? change = null)
    {
        var tls = new TlsOptions { Certificate = _files.Path("cert.pem"), Key = _files.Path("key.pem") };
        return new HttpOptions { Urls = ["https://127.0.0.1:0"], Tls = change?.Invoke(tls) ?? tls };
    }

    private X509ChainPolicy TrustOurs() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private HttpClient Client(X509Certificate2? certificate, SslProtocols protocols = SslProtocols.None)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = TrustOurs();
        handler.SslOptions.EnabledSslProtocols = protocols;
        // Shown whether or not the server names its authority, as a stubborn client would.
        if (certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return new HttpClient(handler);
    }

    private async Task<bool> Answers(string address, X509Certificate2? certificate, SslProtocols protocols = SslProtocols.None)
    {
        using var client = Client(certificate, protocols);
        try
        {
            return await client.GetStringAsync(address, TestContext.Current.CancellationToken) == "ok";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<string> ServerName(string address)
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        var uri = new Uri(address);
        await tcp.ConnectAsync(uri.Host, uri.Port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(tcp.GetStream());
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = TrustOurs() };
        await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        return tls.RemoteCertificate!.Subject;
    }
}
