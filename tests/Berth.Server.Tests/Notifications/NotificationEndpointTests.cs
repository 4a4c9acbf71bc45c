using Berth.Server.Notifications;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Notifications;

public sealed class NotificationEndpointTests
{
    private static readonly NotificationEndpointOptions Sound = new() { Name = "a", Url = "http://127.0.0.1:1/" };

    [Fact]
    public void Without_endpoints_nothing_is_wanted()
    {
        var endpoints = new NotificationEndpoints(new NotificationOptions { Endpoints = [Sound with { Disabled = true }] });
        Assert.Empty(endpoints.All);
        Assert.All(Enum.GetValues<RegistryEventAction>(), action => Assert.False(endpoints.Want(action)));
    }

    [Fact]
    public void An_action_is_wanted_as_long_as_one_endpoint_does_not_ignore_it()
    {
        var endpoints = new NotificationEndpoints(new NotificationOptions
        {
            Endpoints = [Sound with { IgnoredActions = ["pull", "mount"] }, Sound with { Name = "b", IgnoredActions = ["pull"] }],
        });
        Assert.False(endpoints.Want(RegistryEventAction.Pull));
        Assert.True(endpoints.Want(RegistryEventAction.Mount));
    }

    [Fact]
    public void Values_of_zero_are_Docker_Registrys_defaults()
    {
        var endpoint = new NotificationEndpoint(Sound with { Timeout = TimeSpan.Zero, Threshold = 0, Backoff = TimeSpan.Zero });
        Assert.Equal((TimeSpan.FromSeconds(1), 10, TimeSpan.FromSeconds(1)), (endpoint.Timeout, endpoint.Threshold, endpoint.Backoff));
    }

    public static TheoryData<string, string> Unsound => new()
    {
        { "", "http://a/" },
        { "a", "" },
        { "a", "/relative" },
        { "a", "ftp://a/" },
    };

    [Theory]
    [MemberData(nameof(Unsound))]
    public void An_endpoint_without_name_or_address_is_refused(string name, string url) =>
        Assert.Throws<ArgumentException>(() => new NotificationEndpoint(new NotificationEndpointOptions { Name = name, Url = url }));

    [Fact]
    public void A_line_break_in_a_header_is_refused() =>
        Assert.Throws<ArgumentException>(() => new NotificationEndpoint(Sound with { Headers = new Dictionary<string, IReadOnlyList<string>> { ["X"] = ["a\r\nB: c"] } }));

    [Fact]
    public void Two_endpoints_of_one_name_are_refused() =>
        Assert.Throws<ArgumentException>(() => new NotificationEndpoints(new NotificationOptions { Endpoints = [Sound, Sound] }));
}
