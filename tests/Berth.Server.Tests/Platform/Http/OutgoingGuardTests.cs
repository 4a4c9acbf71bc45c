using System.Net;
using Berth.Server.Platform.Http;

namespace Berth.Server.Tests.Platform.Http;

public sealed class OutgoingGuardTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.255")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b:1::1")]
    public void Addresses_that_are_not_public_are_refused(string address) => Assert.False(new OutgoingGuard(new OutgoingOptions()).IsAllowed(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::101:101")]
    public void Public_addresses_are_allowed(string address) => Assert.True(new OutgoingGuard(new OutgoingOptions()).IsAllowed(IPAddress.Parse(address)));

    [Fact]
    public void What_is_listed_is_allowed_and_nothing_beside()
    {
        var guard = new OutgoingGuard(new OutgoingOptions { Allow = ["10.1.0.0/16", "192.168.7.7", "fd12::/32"] });
        Assert.True(guard.IsAllowed(IPAddress.Parse("10.1.255.1")));
        Assert.True(guard.IsAllowed(IPAddress.Parse("::ffff:10.1.0.1")));
        Assert.True(guard.IsAllowed(IPAddress.Parse("192.168.7.7")));
        Assert.True(guard.IsAllowed(IPAddress.Parse("fd12::1")));
        Assert.False(guard.IsAllowed(IPAddress.Parse("10.2.0.1")));
        Assert.False(guard.IsAllowed(IPAddress.Parse("192.168.7.8")));
        Assert.False(guard.IsAllowed(IPAddress.Parse("127.0.0.1")));
    }

    [Theory]
    [InlineData("http://127.0.0.1/", false)]
    [InlineData("http://2130706433/", false)]
    [InlineData("http://0x7f.1/", false)]
    [InlineData("http://[::1]:80/", false)]
    [InlineData("http://[::ffff:7f00:1]/", false)]
    [InlineData("http://LOCALHOST./", false)]
    [InlineData("ftp://a.example/", false)]
    [InlineData("http://user:secret@a.example/", false)]
    [InlineData("https://a.example/hook?x=1", true)]
    [InlineData("http://8.8.8.8:8080/", true)]
    public void What_is_wrong_with_an_address_is_said_where_it_is_entered(string address, bool isGood) =>
        Assert.Equal(isGood, new OutgoingGuard(new OutgoingOptions()).ProblemOf(new Uri(address)) is null);

    [Fact]
    public async Task A_name_is_judged_by_its_addresses()
    {
        var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            var ct = TestContext.Current.CancellationToken;
            var refused = await Assert.ThrowsAsync<OutgoingRefusedException>(async () => await new OutgoingGuard(new OutgoingOptions()).ConnectAsync(new DnsEndPoint("localhost", port), ct));
            Assert.Contains("outgoing.allow", refused.Message, StringComparison.Ordinal);
            foreach (var entry in new[] { "localhost", "127.0.0.0/8" })
            {
                await using var stream = await new OutgoingGuard(new OutgoingOptions { Allow = [entry] }).ConnectAsync(new DnsEndPoint("localhost", port), ct);
                Assert.True(stream.CanWrite);
            }
            var suffix = new OutgoingGuard(new OutgoingOptions { Allow = ["*.example"] });
            await Assert.ThrowsAsync<OutgoingRefusedException>(async () => await suffix.ConnectAsync(new DnsEndPoint("localhost", port), ct));
        }
        finally
        {
            listener.Stop();
        }
    }

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("::1", true)]
    [InlineData("hooks.example.com", true)]
    [InlineData("*.example.com", true)]
    [InlineData("http://a", false)]
    [InlineData("", false)]
    public void Entries_of_the_allow_list_are_networks_addresses_and_names(string entry, bool isGood) => Assert.Equal(isGood, OutgoingGuard.IsAllowEntry(entry));
}
