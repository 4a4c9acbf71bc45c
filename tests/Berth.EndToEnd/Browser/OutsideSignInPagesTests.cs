using System.Text.Json;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Platform;

namespace Berth.EndToEnd.Browser;

/// <summary>People of each source sign in on the page: those with a password here, those of an LDAP directory, those of an OpenID provider.</summary>
public sealed class OutsideSignInPagesTests(OutsideSignInRegistry on) : IClassFixture<OutsideSignInRegistry>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private string Root => $"http://{on.Address}";

    [Fact]
    public async Task People_of_each_source_sign_in_and_out()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(1280, 860, ct);

        // A password of another is refused, and the page says so.
        await Fill(browser, "bob", "carol-pw");
        await browser.Until("document.querySelector('.alert.problem')", ct);
        await Fill(browser, RegistryUnderTest.User, RegistryUnderTest.Password);
        await IsSignedIn(browser, RegistryUnderTest.User);
        await SignOut(browser);

        // The directory: bob is a developer by his group there, and sees the project; carol is nobody's.
        await Fill(browser, "bob", "bob-pw");
        await IsSignedIn(browser, "bob");
        await browser.Until($"document.querySelector('main a[href$=\"/projects/{OutsideSignInRegistry.Project}\"]')", ct);
        await SignOut(browser);
        await Fill(browser, "carol", "carol-pw");
        await IsSignedIn(browser, "carol");
        await browser.Until($"!document.querySelector('main a[href$=\"/projects/{OutsideSignInRegistry.Project}\"]')", ct);
        await SignOut(browser);

        // The provider: its own page asks for the password, and sends the browser back to what was asked for.
        await browser.Open(Root + "/account/sign-in?to=%2Faccount%2Ftokens", ct);
        await browser.Click("a[href*='/c/oidc/login']", ct);
        await browser.Fill("input[name=login]", "alice", ct);
        await browser.Fill("input[name=password]", "alice-pw", ct);
        await browser.Click("form button", ct);
        await browser.Until("location.pathname === '/account/tokens'", ct);
        await IsSignedIn(browser, "alice@example.org");
    }

    private async Task Fill(Chromium browser, string user, string password)
    {
        await browser.Open(Root + "/account/sign-in", ct);
        await browser.Fill("input[name=principal]", user, ct);
        await browser.Fill("input[name=password]", password, ct);
        await browser.Click("form button.primary", ct);
    }

    private Task IsSignedIn(Chromium browser, string user) =>
        browser.Until($"document.querySelector('.who') && document.querySelector('.who').innerText === {JsonSerializer.Serialize(user)}", ct);

    private async Task SignOut(Chromium browser)
    {
        await browser.Click("form[action$='/account/sign-in'] button", ct);
        await browser.Until("document.querySelector('input[name=principal]')", ct);
    }
}
