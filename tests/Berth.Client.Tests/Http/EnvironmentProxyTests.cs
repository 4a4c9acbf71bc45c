using Berth.Client.Http;

namespace Berth.Client.Tests.Http;

public sealed class EnvironmentProxyTests
{
    [Theory]
    [InlineData("https://a.example.com/", "", "http://secure:3128/")]
    [InlineData("http://a.example.com/", "", "http://plain:3128/")]
    [InlineData("https://localhost:5000/", "", null)]
    [InlineData("https://127.0.0.1/", "", null)]
    [InlineData("https://a.example.com/", "*", null)]
    [InlineData("https://a.example.com/", "example.com", null)]
    [InlineData("https://example.com/", ".example.com", "http://secure:3128/")]
    [InlineData("https://a.example.com/", ".EXAMPLE.com", null)]
    [InlineData("https://badexample.com/", "example.com", "http://secure:3128/")]
    [InlineData("https://a.example.com:8443/", "a.example.com:443", "http://secure:3128/")]
    [InlineData("https://a.example.com/", "x, a.example.com:443", null)]
    [InlineData("https://10.1.2.3/", "10.0.0.0/8", null)]
    [InlineData("https://11.1.2.3/", "10.0.0.0/8", "http://secure:3128/")]
    [InlineData("https://10.1.2.3/", "10.1.2.3", null)]
    [InlineData("https://[2001:db8::1]/", "2001:db8::/32", null)]
    public void Proxies_are_chosen_as_Gos_programs_choose_them(string address, string exceptions, string? expected)
    {
        var proxy = new EnvironmentProxy(new Dictionary<string, string> { ["HTTPS_PROXY"] = "secure:3128", ["http_proxy"] = "http://plain:3128", ["NO_PROXY"] = exceptions });
        Assert.Equal(expected, proxy.GetProxy(new Uri(address))?.AbsoluteUri);
        Assert.Equal(expected is null, proxy.IsBypassed(new Uri(address)));
    }

    [Fact]
    public void Without_variables_there_is_none_and_a_broken_one_is_told()
    {
        Assert.False(new EnvironmentProxy(new Dictionary<string, string>()).IsSet);
        Assert.Throws<IOException>(() => new EnvironmentProxy(new Dictionary<string, string> { ["HTTPS_PROXY"] = "ftp://x" }));
    }
}
