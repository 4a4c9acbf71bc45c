using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Berth.Server.Identity.Certificates;
using Berth.Server.Tests.Platform.Http;

namespace Berth.Server.Tests.Identity.Certificates;

public sealed class CertificateSignInTests : IDisposable
{
    private readonly TestCertificates _files = new();
    private readonly X509Certificate2 _authority = TestCertificates.Authority("ours");

    public CertificateSignInTests() => _files.Save(_authority, "ca.pem", "ca.key");

    public void Dispose()
    {
        _authority.Dispose();
        _files.Dispose();
    }

    [Fact]
    public void The_common_name_of_a_certificate_of_ours_is_the_user()
    {
        using var signIn = Open(new CertificateOptions());
        using var ci = TestCertificates.Issue(_authority, "ci-builder", forClient: true);
        Assert.Equal("ci-builder", signIn.NameOf(ci));
        Assert.Null(signIn.NameOf(null));
    }

    [Fact]
    public void Certificates_of_others_servers_and_oneself_prove_nothing()
    {
        using var signIn = Open(new CertificateOptions());
        using var otherAuthority = TestCertificates.Authority("ours");
        using var foreign = TestCertificates.Issue(otherAuthority, "admin", forClient: true);
        using var server = TestCertificates.Issue(_authority, "admin");
        Assert.Null(signIn.NameOf(foreign));
        Assert.Null(signIn.NameOf(server));
        Assert.Null(signIn.NameOf(otherAuthority));
        using var off = new CertificateSignIn(new CertificateOptions(), [_files.Path("ca.pem")], TimeProvider.System);
        using var good = TestCertificates.Issue(_authority, "admin", forClient: true);
        Assert.Null(off.NameOf(good));
    }

    [Fact]
    public void Expired_certificates_prove_nothing()
    {
        var time = new ManualTime();
        using var signIn = new CertificateSignIn(new CertificateOptions { Enabled = true }, [_files.Path("ca.pem")], time);
        using var ci = TestCertificates.Issue(_authority, "ci", forClient: true);
        Assert.Null(signIn.NameOf(ci));
    }

    [Theory]
    [InlineData(CertificateNamePlace.Email, "bob@example.org")]
    [InlineData(CertificateNamePlace.Uri, "spiffe://example.org/ci")]
    [InlineData(CertificateNamePlace.Dns, "ci.example.org")]
    public void Alternative_names_are_read_by_their_kind(CertificateNamePlace place, string name)
    {
        // A name with a colon cannot be a user's, so the address is mapped to one.
        using var signIn = Open(new CertificateOptions { NameFrom = [place], NamePattern = place == CertificateNamePlace.Uri ? "spiffe://example\\.org/(.+)" : "" });
        using var certificate = WithNames(b => { b.AddEmailAddress("bob@example.org"); b.AddUri(new Uri("spiffe://example.org/ci")); b.AddDnsName("ci.example.org"); });
        Assert.Equal(place == CertificateNamePlace.Uri ? "ci" : name, signIn.NameOf(certificate));
    }

    [Fact]
    public void Several_names_in_one_place_and_names_that_do_not_fit_the_pattern_are_nobody()
    {
        using var mail = Open(new CertificateOptions { NameFrom = [CertificateNamePlace.Email], NamePattern = @"(.+)@example\.org" });
        using var two = WithNames(b => { b.AddEmailAddress("a@example.org"); b.AddEmailAddress("b@example.org"); });
        using var other = WithNames(b => b.AddEmailAddress("a@example.org.evil.com"));
        using var one = WithNames(b => b.AddEmailAddress("a@example.org"));
        Assert.Null(mail.NameOf(two));
        Assert.Null(mail.NameOf(other));
        Assert.Equal("a", mail.NameOf(one));
        using var either = Open(new CertificateOptions { NameFrom = [CertificateNamePlace.Email, CertificateNamePlace.CommonName], NamePattern = @"(.+)@example\.org|[a-z]+" });
        using var plain = TestCertificates.Issue(_authority, "builder", forClient: true);
        Assert.Equal(("a", "builder"), (either.NameOf(one), either.NameOf(plain)));
        using var fallback = Open(new CertificateOptions { NameFrom = [CertificateNamePlace.Uri, CertificateNamePlace.CommonName] });
        Assert.Equal("named", fallback.NameOf(one));
    }

    [Fact]
    public void Wrong_settings_are_reported_together()
    {
        Assert.Equal(["enabled", "nameFrom", "namePattern"], CertificateSignIn.Check(new CertificateOptions { Enabled = true, NameFrom = [], NamePattern = "(" }, []).Select(p => p.Key));
        Assert.Empty(CertificateSignIn.Check(new CertificateOptions { Enabled = true }, ["ca.pem"]));
        Assert.Empty(CertificateSignIn.Check(new CertificateOptions(), []));
    }

    private CertificateSignIn Open(CertificateOptions options) => new(options with { Enabled = true }, [_files.Path("ca.pem")], TimeProvider.System);

    private X509Certificate2 WithNames(Action<SubjectAlternativeNameBuilder> add)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=named", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        add(names);
        request.CertificateExtensions.Add(names.Build());
        return request.Create(_authority, _authority.NotBefore, _authority.NotAfter.AddDays(-1), RandomNumberGenerator.GetBytes(8));
    }
}
