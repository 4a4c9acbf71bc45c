using System.Net;
using Berth.Server.Identity.Proxy;
using Berth.Server.Platform.Http;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Tests.Identity.Proxy;

public sealed class ProxyHeaderTests
{
    private static readonly ProxyHeaderOptions Options = new()
    {
        UserHeader = "X-Forwarded-User",
        EmailHeader = "X-Forwarded-Email",
        GroupsHeader = "X-Forwarded-Groups",
        AdminGroup = "ops",
        TrustedNetworks = ["10.1.0.0/16", "::1"],
    };

    [Fact]
    public void A_trusted_proxy_is_believed_and_the_headers_are_gone()
    {
        var context = Request("10.1.2.3", ("X-Forwarded-User", "alice"), ("X-Forwarded-Email", "a@example.org"), ("X-Forwarded-Groups", "dev, ops,dev"));
        var person = new ProxyHeader(Options).Take(context)!;
        Assert.Equal(("alice", "a@example.org", true), (person.Name, person.Email, person.IsAdmin));
        Assert.Equal(["dev", "ops"], person.Groups);
        Assert.Empty(context.Request.Headers);
        Assert.Null(new ProxyHeader(Options).Take(context));
    }

    [Theory]
    [InlineData("10.2.0.1", "X-Forwarded-User", "alice")]
    [InlineData("2001:db8::1", "X-Forwarded-User", "alice")]
    [InlineData(null, "X-Forwarded-User", "alice")]
    [InlineData("10.1.0.1", "X-Forwarded-User", "")]
    [InlineData("10.1.0.1", "X-Forwarded-User", "a:b")]
    [InlineData("10.1.0.1", "X-Forwarded-Email", "a@example.org")]
    public void Anybody_else_and_anything_else_is_nobody(string? peer, string header, string value)
    {
        var context = Request(peer, (header, value));
        Assert.Null(new ProxyHeader(Options).Take(context));
        Assert.Empty(context.Request.Headers);
    }

    [Fact]
    public void A_second_header_and_one_spelled_with_underscores_are_refused()
    {
        Assert.Null(new ProxyHeader(Options).Take(Request("10.1.0.1", ("X-Forwarded-User", "alice"), ("X_Forwarded_User", "admin"))));
        var context = Request("10.1.0.1");
        context.Request.Headers["X-Forwarded-User"] = new StringValues(["alice", "admin"]);
        Assert.Null(new ProxyHeader(Options).Take(context));
        Assert.Equal("alice", new ProxyHeader(Options).Take(Request("::ffff:10.1.0.1", ("x-forwarded-user", "alice")))!.Name);
    }

    [Fact]
    public void What_a_header_says_about_the_address_does_not_count()
    {
        var context = Request("192.0.2.9", ("X-Forwarded-For", "10.1.0.1"), ("X-Forwarded-User", "admin"));
        new ForwardedHeaders(["192.0.2.0/24"]).Apply(context);
        Assert.Equal("10.1.0.1", context.Connection.RemoteIpAddress!.ToString());
        Assert.Null(new ProxyHeader(Options).Take(context));
        var honest = Request("10.1.0.1", ("X-Forwarded-For", "192.0.2.77"), ("X-Forwarded-User", "alice"));
        new ForwardedHeaders(["10.1.0.1"]).Apply(honest);
        Assert.Equal("alice", new ProxyHeader(Options).Take(honest)!.Name);
    }

    [Fact]
    public void No_address_outside_the_networks_signs_anybody_in() => Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<uint>(), number =>
    {
        var address = new IPAddress(new[] { (byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number });
        var isInside = (number >> 16) == 0x0a01;
        return new ProxyHeader(Options).Take(Request(address.ToString(), ("X-Forwarded-User", "alice"))) is not null == isInside;
    }));

    [Fact]
    public void Settings_that_trust_everybody_are_refused()
    {
        Assert.Empty(ProxyHeader.Check(Options));
        Assert.Empty(ProxyHeader.Check(new ProxyHeaderOptions()));
        Assert.Equal(["trustedNetworks"], ProxyHeader.Check(Options with { TrustedNetworks = [] }).Select(p => p.Key));
        Assert.Equal(["trustedNetworks", "trustedNetworks"], ProxyHeader.Check(Options with { TrustedNetworks = ["0.0.0.0/0", "x"] }).Select(p => p.Key));
        Assert.Equal(["userHeader", "emailHeader"], ProxyHeader.Check(Options with { UserHeader = "authorization", EmailHeader = "a b" }).Select(p => p.Key));
    }

    private static DefaultHttpContext Request(string? peer, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = peer is null ? null : IPAddress.Parse(peer);
        foreach (var (name, value) in headers) context.Request.Headers[name] = value;
        return context;
    }
}
