using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>What each role of a project sees of its pages: what it may not do is not there, or is off and says why.</summary>
public sealed class RolePagesTests(SignedInRegistryAndShell on, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>
{
    private const string UserPassword = "Role-pages-12345";
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    // A path of the project, and what must be found there to do something; the id of the roles that find it.
    private static readonly (string Path, string Selector, int[] Roles)[] s_tools =
    [
        ("", "a[href$='/members']", [1, 4, 2, 3]),
        ("", "a[href$='/webhooks']", [1, 4]),
        ("", "a[href$='/immutability']", [1, 4]),
        ("", "a[href$='/audit']", [1]),
        ("", "details.fold", [1, 4, 2]),
        ("/members", "button[commandfor=add-member]", [1]),
        ("/members", "td select", [1]),
        ("/robots", "button[commandfor=new-robot]", [1]),
        ("/webhooks", "main form[method=post]", [1]),
        ("/repositories/app", "button[commandfor=describe]", [1, 4, 2]),
        ("/repositories/app", "button[commandfor=delete-repository]", [1, 4]),
        ("/repositories/app", "dialog#delete-many", [1, 4]),
        ("/artifacts/1/app", "main input[name=do][value=delete]", [1, 4]),
        ("/artifacts/1/app", "main input[name=do][value=add-tag]", [1, 4, 2]),
        ("/settings", "input[name=public]:enabled", [1]),
        ("/settings", "button.primary[title]:disabled", [4, 2, 3, 5]),
    ];

    // 403 for those who may not see the page at all.
    private static readonly Dictionary<string, int[]> s_readers = new()
    {
        [""] = [1, 4, 2, 3, 5],
        ["/members"] = [1, 4, 2, 3],
        ["/robots"] = [1, 4, 2, 3],
        ["/webhooks"] = [1, 4],
        ["/repositories/app"] = [1, 4, 2, 3, 5],
        ["/artifacts/1/app"] = [1, 4, 2, 3, 5],
        ["/settings"] = [1, 4, 2, 3, 5],
        ["/audit"] = [1],
    };

    [Fact]
    public async Task Each_role_is_offered_what_it_may_do_and_nothing_else()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        var api = new ManagementApi(on.Address);
        await api.Call(HttpMethod.Post, "/api/v2.0/projects", """{"project_name":"roles"}""", ct);
        using (var http = new RegistryHttp($"http://{on.Address}"))
        {
            http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
            await http.Push("roles/app", "1", images.Small(), ct);
        }
        await using var browser = await Chromium.Start(ct);
        var wrong = new List<string>();
        foreach (var role in (int[])[1, 4, 2, 3, 5])
        {
            var name = $"role-{role}";
            await api.Call(HttpMethod.Post, "/api/v2.0/users", $$"""{"username":"{{name}}","realname":"{{name}}","email":"{{name}}@example.org","password":"{{UserPassword}}"}""", ct);
            await api.Call(HttpMethod.Post, "/api/v2.0/projects/roles/members", $$"""{"role_id":{{role}},"member_user":{"username":"{{name}}"} }""", ct);
            await browser.ForgetCookies(ct);
            await browser.Open($"http://{on.Address}/account/sign-in", ct);
            await browser.Fill("input[name=principal]", name, ct);
            await browser.Fill("input[name=password]", UserPassword, ct);
            await browser.Click("form button.primary", ct);
            await browser.Until("location.pathname === '/projects'", ct);
            if (await Has(browser, ".top a[href='/administration']")) wrong.Add($"{name} is offered the administration");
            foreach (var (path, readers) in s_readers)
            {
                await browser.Open($"http://{on.Address}/projects/roles{path}", ct);
                if (await Has(browser, ".failure") == readers.Contains(role)) wrong.Add($"{name} {(readers.Contains(role) ? "does not see" : "sees")} {path}");
                foreach (var (_, selector, roles) in s_tools.Where(t => t.Path == path && readers.Contains(role)))
                {
                    if (await Has(browser, selector) != roles.Contains(role)) wrong.Add($"{name} {(roles.Contains(role) ? "lacks" : "has")} {selector} of {path}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private async Task<bool> Has(Chromium browser, string selector) => (await browser.Eval($"!!document.querySelector(\"{selector}\")", ct))!.GetValue<bool>();
}
