using System.Net;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Tests.Platform.Http;

public sealed class ForwardedHeadersTests
{
    [Theory]
    // peer, X-Forwarded-For, -Proto, -Host → remote, scheme, host
    [InlineData("10.0.0.1", "203.0.113.9", "https", "registry.example", "203.0.113.9", "https", "registry.example")]
    [InlineData("::ffff:10.0.0.1", "203.0.113.9", "https", "", "203.0.113.9", "https", "inner:5000")]
    [InlineData("192.0.2.1", "203.0.113.9", "https", "evil.example", "192.0.2.1", "http", "inner:5000")]
    [InlineData("10.0.0.1", "", "", "", "10.0.0.1", "http", "inner:5000")]
    // The client has written the left entries itself; only what trusted hops added counts.
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.9", "http, https", "", "203.0.113.9", "https", "inner:5000")]
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "https, http", "a.example, b.example", "203.0.113.9", "https", "a.example")]
    [InlineData("10.0.0.1", "10.0.0.3, 10.0.0.2", "https", "", "10.0.0.3", "https", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.9:4711", "", "", "203.0.113.9", "http", "inner:5000")]
    [InlineData("10.0.0.1", "[2001:db8::7]:4711", "", "", "2001:db8::7", "http", "inner:5000")]
    [InlineData("10.0.0.1", "2001:db8::7", "", "", "2001:db8::7", "http", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.9, not-an-address", "", "", "10.0.0.1", "http", "inner:5000")]
    [InlineData("10.0.0.1", "unknown", "HTTPS", "", "10.0.0.1", "https", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.9", "javascript", "a/b", "203.0.113.9", "http", "inner:5000")]
    [InlineData("10.0.0.1", "203.0.113.9", "", "user@evil.example", "203.0.113.9", "http", "inner:5000")]
    [InlineData("2001:db8:1::5", "203.0.113.9", "https", "[2001:db8::9]:8443", "203.0.113.9", "https", "[2001:db8::9]:8443")]
    [InlineData("", "203.0.113.9", "https", "", "", "http", "inner:5000")]
    public void The_last_hop_that_is_no_proxy_of_ours_is_the_client(
        string peer, string forwardedFor, string proto, string host, string remote, string scheme, string requestHost)
    {
        var context = Request(peer, forwardedFor, proto, host);
        new ForwardedHeaders(["10.0.0.0/8", "2001:db8:1::/48"]).Apply(context);
        Assert.Equal(remote, context.Connection.RemoteIpAddress?.ToString().Replace("::ffff:", "") ?? "");
        Assert.Equal(scheme, context.Request.Scheme);
        Assert.Equal(requestHost, context.Request.Host.Value);
    }

    [Fact]
    public void The_peer_of_a_unix_socket_is_trusted_when_named()
    {
        var context = Request("", "203.0.113.9", "https", "");
        new ForwardedHeaders(["unix"]).Apply(context);
        Assert.Equal("203.0.113.9", context.Connection.RemoteIpAddress?.ToString());
        Assert.Equal("https", context.Request.Scheme);
    }

    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("10.1.2.3", "10.1.2.3/32")]
    [InlineData("::1", "::1/128")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("10.0.0.0/33", null)]
    [InlineData("10.0.0.0/", null)]
    [InlineData("proxy.example", null)]
    public void A_network_is_read_and_host_bits_are_ignored(string text, string? expected) => Assert.Equal(expected, ForwardedHeaders.Parse(text)?.ToString());

    [Fact]
    public void A_wrong_entry_is_named()
    {
        var failure = Assert.Throws<FormatException>(() => new ForwardedHeaders(["10.0.0.0/8", "proxy.example"]));
        Assert.Contains("proxy.example", failure.Message);
    }

    private static DefaultHttpContext Request(string peer, string forwardedFor, string proto, string host)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = peer.Length == 0 ? null : IPAddress.Parse(peer);
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("inner:5000");
        if (forwardedFor.Length > 0) context.Request.Headers["X-Forwarded-For"] = forwardedFor;
        if (proto.Length > 0) context.Request.Headers["X-Forwarded-Proto"] = proto;
        if (host.Length > 0) context.Request.Headers["X-Forwarded-Host"] = host;
        return context;
    }
}
