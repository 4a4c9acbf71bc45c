using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>
/// What holds for every page there is, by the approved list of routes: no finding of axe-core (https://github.com/dequelabs/axe-core) that is serious or critical, in light
/// and dark; nothing moves while it loads; it weighs less than 200 KB; nothing is wider than a phone; without scripts it reads the same.
/// </summary>
public sealed class EveryPageTests(SignedInRegistryAndShell on, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>
{
    private const int MaxPageBytes = 200_000;
    private const double MaxLayoutShift = 0.01;
    private const string Project = "every";
    private const string NoPage = "/no/such/page";
    private const string Repository = "team/app";

    // What the page is made of, what moved, and what axe-core says; folded parts are opened, dialogs are looked into one by one.
    private const string Examine = """
        (async () => {
          const moved = await new Promise(done => {
            let sum = 0;
            const add = entries => { for (const entry of entries) sum += entry.value; };
            const observer = new PerformanceObserver(list => add(list.getEntries()));
            observer.observe({ type: 'layout-shift', buffered: true });
            requestAnimationFrame(() => setTimeout(() => { add(observer.takeRecords()); done(sum); }, 0));
          });
          const bytes = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((sum, entry) => sum + entry.encodedBodySize, 0);
          for (const fold of document.querySelectorAll('details.fold')) fold.open = true;
          const findings = [];
          const look = async (where, what) => {
            const result = await axe.run(where, { resultTypes: ['violations'] });
            for (const v of result.violations) findings.push(`${v.impact} ${v.id}${what}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')}`);
          };
          await look(document, '');
          for (const dialog of document.querySelectorAll('dialog')) { dialog.showModal(); await look(dialog, ` in #${dialog.id}`); dialog.close(); }
          return { moved, bytes, findings };
        })()
        """;

    // Colours are all that differs in the dark.
    private const string ExamineColours = """
        axe.run(document, { runOnly: ['color-contrast'], resultTypes: ['violations'] })
          .then(result => result.violations.flatMap(v => v.nodes.map(n => `${v.impact} ${v.id} in the dark: ${n.html.slice(0, 160)}`)))
        """;

    // What reaches over the edge of the window, when the page can be moved sideways.
    private const string TooWide = """
        document.documentElement.scrollWidth <= innerWidth ? null
          : [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest('.table, pre')).slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join(' | ')
        """;

    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private string Root => $"http://{on.Address}";

    [Fact]
    public async Task Every_page_can_be_used_by_everybody_in_light_and_dark_and_on_a_phone()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        var axe = Programs.Require(Path.Combine(Environment.GetEnvironmentVariable("REAL_CLIENTS_DIR") ?? "/opt/real-clients", "npm/axe-core/axe.min.js"));
        await Furnish();
        await using var browser = await Chromium.Start(ct);
        await browser.AddScript(await File.ReadAllTextAsync(axe, ct), ct);
        var wrong = new List<string>();
        await browser.Resize(1280, 860, ct);
        await Inspect(browser, "/account/sign-in", wrong);
        await SignIn(browser);
        foreach (var path in Paths()) await Inspect(browser, path, wrong);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Every_page_is_read_without_scripts_and_in_both_languages()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await Furnish();
        await using var browser = await Chromium.Start(ct);
        await browser.AllowScripts(false, ct);
        await browser.Resize(1280, 860, ct);
        await SignIn(browser);
        var wrong = new List<string>();
        foreach (var (language, tag) in (ValueTuple<string, string>[])[("en", "en"), ("zh-CN,zh;q=0.9", "zh-Hans")])
        {
            await browser.SendHeader("Accept-Language", language, ct);
            foreach (var path in Paths())
            {
                await browser.Open(Root + path, ct);
                // Names are what people called things; the words around them are of the language.
                var seen = (await browser.Eval("({ tag: document.documentElement.lang, title: document.querySelector('h1')?.innerText ?? '', text: document.querySelector('nav').innerText, js: document.documentElement.classList.contains('js') })", ct))!;
                var isRight = seen["tag"]!.GetValue<string>() == tag && seen["title"]!.GetValue<string>().Length > 0 && (path == NoPage || seen["title"]!.GetValue<string>() is not ("There is no such page" or "页面不存在")) && !seen["js"]!.GetValue<bool>()
                    && seen["text"]!.GetValue<string>().Any(c => c is >= '一' and <= '鿿') == (tag != "en");
                if (!isRight) wrong.Add($"{language} {path}: {seen.ToJsonString()}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private async Task Inspect(Chromium browser, string path, List<string> wrong)
    {
        await browser.Open(Root + path, ct);
        await browser.Until("document.querySelector('h1')", ct);
        var seen = (await browser.Eval(Examine, ct))!;
        if (seen["moved"]!.GetValue<double>() > MaxLayoutShift) wrong.Add($"{path}: what is shown moves by {seen["moved"]}");
        if (seen["bytes"]!.GetValue<long>() > MaxPageBytes) wrong.Add($"{path}: {seen["bytes"]} bytes");
        await Picture(browser, path);
        await browser.PreferScheme("dark", ct);
        var dark = (await browser.Eval(ExamineColours, ct))!.AsArray();
        await browser.PreferScheme("light", ct);
        wrong.AddRange(seen["findings"]!.AsArray().Concat(dark).Select(f => f!.GetValue<string>()).Where(f => f.StartsWith("serious", StringComparison.Ordinal) || f.StartsWith("critical", StringComparison.Ordinal)).Select(f => $"{path}: {f}"));
        await browser.Resize(390, 844, ct);
        if (await browser.Eval(TooWide, ct) is { } wide) wrong.Add($"{path}: wider than a phone: {wide}");
        await browser.Resize(1280, 860, ct);
    }

    // With BERTH_SCREENSHOTS naming a folder, pictures of all pages are left there.
    private async Task Picture(Chromium browser, string path)
    {
        if (Environment.GetEnvironmentVariable("BERTH_SCREENSHOTS") is not { Length: > 0 } folder) return;
        Directory.CreateDirectory(folder);
        await browser.Picture(Path.Combine(folder, $"every{path.Replace('/', '-').Replace('?', '-')}.png"), ct);
    }

    // The approved list of routes names all of them; what a path holds is furnished below.
    private static List<string> Paths() =>
    [
        .. File.ReadLines(Path.Combine(RegistryUnderTest.SourceRoot(), "tests/Berth.Server.Tests/Approved/ui-routes.txt"))
            .Where(line => line.StartsWith("GET ", StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])
            // Nobody stays on these.
            .Where(route => route is not ("/" or "/account/sign-in" or "/oidc-onboard"))
            .Select(route => route.Replace("{project_name}", Project, StringComparison.Ordinal).Replace("{reference}", "1", StringComparison.Ordinal)
                .Replace("{other}", "2", StringComparison.Ordinal).Replace("{**repository}", Repository, StringComparison.Ordinal)),
        $"/projects/{Project}/repositories/{Repository}?view=history", $"/projects/{Project}/repositories/{Repository}?view=untagged", $"/projects/{Project}/artifacts/2/{Repository}",
        "/search?text=app", "/search?text=CVE-2021-44906", "/search/vulnerabilities?id=CVE-2021-44906", "/search/vulnerabilities?package=lodash",
        $"/projects/{Project}/findings/scanned/{Repository}", $"/projects/{Project}/packages/scanned/{Repository}", $"/projects/{Project}/inside/{Repository}?a=before&b=scanned", NoPage,
    ];

    // Something on every page, made once for both tests.
    private async Task Furnish()
    {
        var api = new ManagementApi(on.Address);
        using var http = new RegistryHttp(Root);
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        if ((await api.Call(HttpMethod.Get, $"/api/v2.0/projects?name={Project}", null, ct))!.AsArray().Count > 0) return;
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{Project}}}","metadata":{"public":"true"},"storage_limit":10737418240}""", ct);
        await http.Push($"{Project}/{Repository}", "1", images.TwentyLayers(), ct);
        await http.Push($"{Project}/{Repository}", "2", images.MultiArch(), ct);
        await http.Push($"{Project}/{Repository}", "3", images.Small(), ct);
        await http.Push($"{Project}/{Repository}", "3", images.MultiArch(), ct);
        await api.AddRobot("ci", Project, ct);
        await api.Call(HttpMethod.Post, "/api/v2.0/users", """{"username":"mona","realname":"Mona","email":"mona@example.org","password":"Every-page-12345"}""", ct);
        await api.Call(HttpMethod.Post, $"/api/v2.0/projects/{Project}/members", """{"role_id":2,"member_user":{"username":"mona"}}""", ct);
        await api.Call(HttpMethod.Post, "/api/v2.0/usergroups", """{"group_name":"builders","group_type":2}""", ct);
        await api.Call(HttpMethod.Post, $"/api/v2.0/projects/{Project}/immutabletagrules", """{"action":"immutable","template":"immutable_template","tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"v*"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}""", ct);
        var project = (await api.Call(HttpMethod.Get, $"/api/v2.0/projects/{Project}", null, ct))!["project_id"]!.GetValue<long>();
        await api.Call(HttpMethod.Post, "/api/v2.0/labels", $$"""{"name":"stable","color":"#1f6b3a","scope":"p","project_id":{{project}}}""", ct);
        await api.Call(HttpMethod.Post, "/api/berth/v1/users/current/tokens", """{"name":"laptop"}""", ct);
        await api.Call(HttpMethod.Put, $"/api/v2.0/projects/{Project}", """{"metadata":{"prevent_vul":"true","severity":"high","pull_gate_mode":"warn"},"cve_allowlist":{"items":[{"cve_id":"CVE-2020-28500"}],"expires_at":4102444800}}""", ct);
        await api.Call(HttpMethod.Post, $"/api/berth/v1/projects/{Project}/exceptions", """{"kind":"trivyignore","name":"team.trivyignore","note":"is not reached","content":"CVE-2010-4756\n"}""", ct);
        using var scratch = new TemporaryFolder("scans");
        var scans = new GuideScans(on, scratch.FullPath, ct);
        await scans.UseAdvisories();
        await scans.Push(http, $"{Project}/{Repository}", "before", scans.App("amd64", ("lodash", "4.17.20"), ("minimist", "1.2.5"), ("axios", "0.21.1")));
        await scans.Push(http, $"{Project}/{Repository}", "scanned", scans.Index(("amd64", scans.App("amd64", ("lodash", "4.17.20"), ("qs", "6.9.0"))), ("arm64", scans.App("arm64", ("lodash", "4.17.20"), ("express", "4.17.1")))));
        await scans.ScanAll();
        await api.Call(HttpMethod.Post, "/api/v2.0/system/gc/schedule", """{"schedule":{"type":"Manual"},"parameters":{"dry_run":true}}""", ct);
    }

    private async Task SignIn(Chromium browser)
    {
        await browser.Open(Root + "/account/sign-in", ct);
        await browser.Fill("input[name=principal]", RegistryUnderTest.User, ct);
        await browser.Fill("input[name=password]", RegistryUnderTest.Password, ct);
        await browser.Click("form button.primary", ct);
        await browser.Until("location.pathname === '/projects'", ct);
    }
}
