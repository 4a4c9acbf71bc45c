using System.Globalization;
using Berth.EndToEnd.Harness;

namespace Berth.EndToEnd.Browser;

/// <summary>
/// Makes the pictures of docs/images again, one of every page, on a registry of a small company: explicit, with <c>BERTH_SCREENSHOTS</c> naming the folder, and <c>BERTH_OUTGOING__ALLOW=127.0.0.1</c> for the webhooks. It needs a font
/// with Chinese (Debian: fonts-wqy-zenhei). Make them small afterwards: <c>pngquant --ext .png --force --strip --speed 1 96 docs/images/*.png</c>.
/// </summary>
public sealed class GuidePictures(SignedInRegistryAndShell on) : IClassFixture<SignedInRegistryAndShell>
{
    private const int Width = 1200;
    private const int PhoneWidth = 390;
    private const int PhoneHeight = 844;

    private static readonly (string Name, string Path)[] s_pages =
    [
        ("projects", "/projects"), ("project-empty", "/projects/new-team"), ("project", "/projects/shop"), ("members", "/projects/shop/members"), ("access-rules", "/projects/shop/rules"),
        ("project-robots", "/projects/shop/robots"), ("labels", "/projects/shop/labels"), ("immutability", "/projects/shop/immutability"), ("retention", "/projects/shop/retention"),
        ("retention-runs", "/projects/shop/retention?view=runs&run=1"), ("trash", "/projects/shop/trash"), ("webhooks", "/projects/shop/webhooks?hook={hook}"), ("project-audit", "/projects/shop/audit"),
        ("settings", "/projects/shop/settings"), ("repository", "/projects/shop/repositories/api"), ("untagged", "/projects/shop/repositories/api?view=untagged"), ("history", "/projects/shop/repositories/api?view=history"),
        ("artifact", "/projects/shop/artifacts/v1.4.2/api"), ("artifact-layers", "/projects/shop/artifacts/rc1/api"), ("artifact-archived", "/projects/shop/artifacts/v1.2.0/api"),
        ("compare", "/projects/shop/compare/api?a=v1.4.2&b=v1.4.1"), ("layer", "/projects/shop/layers/{layer}/worker"), ("search", "/search?text=api"),
        ("findings", "/projects/shop/findings/v2.3.0/checkout"), ("packages", "/projects/shop/packages/v2.3.0/checkout"), ("inside", "/projects/shop/inside/checkout?a=v2.2.0&b=v2.3.0"),
        ("project-security", "/projects/shop/security"), ("exceptions", "/projects/shop/exceptions"), ("security", "/administration/security"), ("system-exceptions", "/administration/exceptions"),
        ("search-flaw", "/search/vulnerabilities?id=CVE-2021-44906"), ("checkout", "/projects/shop/repositories/checkout"),
        ("account", "/account"), ("tokens", "/account/tokens"), ("password", "/account/password"), ("sessions", "/account/sessions"), ("preferences", "/ui/preferences"), ("design", "/ui/design"),
        ("administration", "/administration"), ("storage", "/administration/storage?project=shop"), ("users", "/administration/users"), ("groups", "/administration/groups"),
        ("robots", "/administration/robots"), ("roles", "/administration/roles"), ("identity", "/administration/identity"), ("registry-webhooks", "/administration/webhooks"),
        ("registry-retention", "/administration/retention"), ("configuration", "/administration/configuration"), ("garbage", "/administration/garbage"), ("jobs", "/administration/jobs"), ("audit", "/administration/audit"),
        ("health", "/administration/health"), ("checklist", "/administration/checklist"),
    ];

    private static readonly string[] s_inChinese = ["projects", "repository", "artifact", "retention", "findings", "security"];
    private static readonly string[] s_onThePhone = ["project", "repository", "artifact", "retention", "findings"];

    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private string Root => $"http://{on.Address}";

    [Fact(Explicit = true), Trait("run", "by hand")]
    public async Task Pictures_of_the_guide_are_made()
    {
        var folder = Environment.GetEnvironmentVariable("BERTH_SCREENSHOTS") ?? throw new InvalidOperationException("BERTH_SCREENSHOTS names no folder");
        Directory.CreateDirectory(folder);
        using var http = new RegistryHttp(Root);
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        using var scratch = new TemporaryFolder("guide");
        var registry = new GuideRegistry(on.Address, new GuideImages(scratch.FullPath, http), new GuideScans(on, scratch.FullPath, ct), http, ct);
        await registry.Furnish();
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(Width, 800, ct);
        await browser.Open(Root + "/account/sign-in", ct);
        await browser.Picture(Path.Combine(folder, "web-sign-in.png"), ct);
        await browser.Fill("input[name=principal]", RegistryUnderTest.User, ct);
        await browser.Fill("input[name=password]", RegistryUnderTest.Password, ct);
        await browser.Click("form button.primary", ct);
        await browser.Until("location.pathname === '/projects'", ct);
        var only = Environment.GetEnvironmentVariable("BERTH_SCREENSHOTS_ONLY")?.Split(',');
        var pages = s_pages.Where(p => only is null || only.Contains(p.Name)).Select(p => (p.Name, Path: Filled(p.Path, registry))).ToList();
        foreach (var (name, path) in pages) await Picture(browser, folder, name, path);
        if (only is null) await Actions(browser, folder);

        await browser.Resize(PhoneWidth, PhoneHeight, ct);
        foreach (var (name, path) in pages.Where(p => s_onThePhone.Contains(p.Name))) await Picture(browser, folder, name + "-phone", path, PhoneWidth);
        await browser.SendHeader("Accept-Language", "zh-CN,zh;q=0.9", ct);
        await browser.PreferScheme("dark", ct);
        foreach (var (name, path) in pages.Where(p => s_inChinese.Contains(p.Name))) await Picture(browser, folder, name + "-dark-zh", path);
    }

    // What is on a page only just after something was done.
    private async Task Actions(Chromium browser, string folder)
    {
        await browser.Open(Root + "/projects/shop/robots", ct);
        await browser.Eval("document.querySelector('#new-robot').showModal()", ct);
        await browser.Fill("#new-robot input[name=name]", "release", ct);
        await browser.Click("#new-robot input[name=push]", ct);
        await browser.Click("#new-robot button[type=submit]", ct);
        await browser.Until("document.querySelector('.alert.done')", ct);
        await Fit(browser, folder, "robot-made", Width);
        await browser.Open(Root + "/projects/shop/repositories/web", ct);
        await browser.Eval("[...document.querySelectorAll('input[name=pick]')].slice(-1).forEach(b => b.checked = true)", ct);
        await browser.Eval("document.querySelector('#delete-many button[type=submit]').click()", ct);
        await browser.Until("document.querySelector('.toast .undo')", ct);
        await Fit(browser, folder, "undo", Width);
    }

    private async Task Picture(Chromium browser, string folder, string name, string path, int width = Width)
    {
        await browser.Resize(width, width == Width ? 800 : PhoneHeight, ct);
        await browser.Open(Root + path, ct);
        await browser.Until("document.querySelector('h1')", ct);
        await Fit(browser, folder, name, width);
    }

    // As high as what is on it, within limits: neither empty halves nor towers.
    private async Task Fit(Chromium browser, string folder, string name, int width)
    {
        // Where nothing scrolls, no place is kept for a scroll bar.
        await browser.Eval("document.documentElement.style.scrollbarGutter = 'auto'", ct);
        var height = (await browser.Eval("Math.ceil(document.querySelector('main').getBoundingClientRect().bottom + scrollY) - 24", ct))!.GetValue<double>();
        await browser.Resize(width, width == Width ? (int)Math.Clamp(height, 420, name is "retention" or "registry-retention" ? 1500 : 1000) : PhoneHeight, ct);
        await browser.Eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))", ct);
        await browser.Picture(Path.Combine(folder, $"web-{name}.png"), ct);
    }

    private static string Filled(string path, GuideRegistry registry) => path
        .Replace("{hook}", registry.Hooked.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("{layer}", Uri.EscapeDataString(registry.SharedLayer), StringComparison.Ordinal);
}
