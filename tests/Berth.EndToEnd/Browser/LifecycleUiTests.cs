using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>An image's life on the pages, in a real browser: deleted and undone, compared, kept and let go by rules.</summary>
public sealed class LifecycleUiTests(SignedInRegistryAndShell on, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private string Root => $"http://{on.Address}";

    [Fact]
    public async Task What_was_deleted_in_bulk_comes_back_with_one_click_also_without_scripts()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Start();
        using var http = await Project("undo");
        await http.Push("undo/app", "v1", images.Small(), ct);
        await http.Push("undo/app", "v2", images.TwentyLayers(), ct);
        foreach (var hasScripts in new[] { true, false })
        {
            await browser.AllowScripts(hasScripts, ct);
            await browser.Open(Root + "/projects/undo/repositories/app", ct);
            await browser.Eval("document.querySelectorAll('input[name=pick]').forEach(b => b.checked = true)", ct);
            await browser.Eval("document.querySelector('#delete-many button[type=submit]').click()", ct);
            await browser.Shows("Deleted: 2", ct);
            await browser.Shows("There are no tagged artifacts.", ct);
            await browser.Click(".toast .undo", ct);
            await browser.Shows("Restored: 2", ct);
            Assert.Equal(images.Small().RootBytes(), (await http.Manifest("undo/app", "v1", ct)).Bytes);
            Assert.Equal(images.TwentyLayers().RootBytes(), (await http.Manifest("undo/app", "v2", ct)).Bytes);
            await browser.Until("document.querySelectorAll('input[name=pick]').length === 2", ct);
        }
    }

    [Fact]
    public async Task Two_that_are_chosen_in_the_table_stand_side_by_side()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Start();
        using var http = await Project("compare");
        await http.Push("compare/app", "v1", images.Small(), ct);
        await http.Push("compare/app", "v2", images.TwentyLayers(), ct);
        await browser.Open(Root + "/projects/compare/repositories/app", ct);
        await browser.Eval("document.querySelectorAll('input[name=pick]').forEach(b => b.click())", ct);
        await browser.Click("button[value=compare]", ct);
        await browser.Until("location.pathname === '/projects/compare/compare/app' && location.search === '?a=v2&b=v1'", ct);
        await browser.Until("document.querySelectorAll('table.compare td.old').length > 5", ct);
        await Fits(browser);
    }

    [Fact]
    public async Task Rules_are_tried_on_the_page_saved_run_and_their_run_is_followed_live()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Start();
        using var http = await Project("rules");
        await http.Push("rules/app", "v1.0.0", images.Small(), ct);
        await http.Push("rules/app", "dev-1", images.TwentyLayers(), ct);
        await browser.Open(Root + "/projects/rules/retention", ct);
        await browser.Shows("Everything stays for now", ct);
        await browser.Click("button[value=template-semver]", ct);
        await browser.Until("[...document.querySelectorAll('tbody tr')].some(r => r.innerText.includes('dev-1') && r.innerText.includes('goes now'))", ct);
        await browser.Shows("Not saved yet", ct);

        // One more rule keeps it: the simulation follows.
        await browser.Click("button[value=new]", ct);
        await browser.Until("document.activeElement.name === 'name'", ct);
        await browser.Fill("input[name=name]", "builds", ct);
        await browser.Fill("input[name=tags]", "dev-*", ct);
        await browser.Eval("document.querySelector('select[name=c0-kind]').value = 'within:pushed'", ct);
        await browser.Fill("input[name=c0-number]", "14", ct);
        await browser.Click(".editor button[value=apply]", ct);
        await browser.Until("[...document.querySelectorAll('tbody tr')].some(r => r.innerText.includes('dev-1') && /goes on \\d{4}-\\d\\d-\\d\\d/.test(r.innerText) && r.innerText.includes('kept by rule builds'))", ct);
        await Fits(browser);

        // Without it, saved and run.
        await browser.Click("button[value='remove:2']", ct);
        await browser.Until("!document.body.innerText.includes('builds')", ct);
        await browser.Click("button[value=save]", ct);
        await browser.Shows("The policy is saved.", ct);
        await browser.Click("#run button[type=submit]", ct);
        await browser.Until("location.search.startsWith('?view=runs&run=')", ct);
        // The stream tells of the end: nothing else changes the page.
        await browser.Until("document.querySelector('.job .badge.good') && !document.querySelector('[data-live]')", ct);
        await browser.Until("[...document.querySelectorAll('tbody tr')].some(r => r.innerText.includes('dev-1') && r.innerText.includes('went'))", ct);
        await browser.Open(Root + "/projects/rules/trash", ct);
        await browser.Shows(":dev-1", ct);
        await Fits(browser);
    }

    private async Task<Chromium> Start()
    {
        var browser = await Chromium.Start(ct);
        await browser.Resize(1280, 860, ct);
        await browser.Open(Root + "/account/sign-in", ct);
        await browser.Fill("input[name=principal]", RegistryUnderTest.User, ct);
        await browser.Fill("input[name=password]", RegistryUnderTest.Password, ct);
        await browser.Click("form button.primary", ct);
        await browser.Until("location.pathname === '/projects'", ct);
        return browser;
    }

    private async Task<RegistryHttp> Project(string name)
    {
        await new ManagementApi(on.Address).Call(HttpMethod.Post, "/api/v2.0/projects", $$"""{"project_name":"{{name}}"}""", ct);
        var http = new RegistryHttp(Root);
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        return http;
    }

    // On a phone, nothing is wider than it.
    private async Task Fits(Chromium browser)
    {
        await browser.Resize(390, 844, ct);
        await browser.Until("document.documentElement.scrollWidth <= innerWidth", ct);
        await browser.Resize(1280, 860, ct);
    }
}
