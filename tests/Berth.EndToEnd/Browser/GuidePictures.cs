using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>
/// Makes the pictures of docs/images again, on a registry with a few projects: explicit, with <c>BERTH_SCREENSHOTS</c> naming the folder. It needs a font with Chinese
/// (Debian: fonts-wqy-zenhei).
/// </summary>
public sealed class GuidePictures(SignedInRegistryAndShell on, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private static readonly (string Name, string Path)[] s_pictures =
    [
        ("projects", "/projects"), ("project", "/projects/shop"), ("members", "/projects/shop/members"), ("rules", "/projects/shop/rules"), ("webhooks", "/projects/shop/webhooks"),
        ("repository", "/projects/shop/repositories/web/api"), ("artifact", "/projects/shop/artifacts/1.4.2/web/api"), ("history", "/projects/shop/repositories/web/api?view=history"),
        ("search", "/search?text=api"), ("tokens", "/account/tokens"), ("administration", "/administration"), ("storage", "/administration/storage?project=shop"), ("users", "/administration/users"),
        ("groups", "/administration/groups"), ("robots", "/administration/robots"), ("roles", "/administration/roles"), ("identity", "/administration/identity"), ("configuration", "/administration/configuration"),
        ("garbage", "/administration/garbage"), ("jobs", "/administration/jobs"), ("checklist", "/administration/checklist"),
    ];

    [Fact(Explicit = true)]
    public async Task Pictures_of_the_guide_are_made()
    {
        var folder = Environment.GetEnvironmentVariable("BERTH_SCREENSHOTS") ?? throw new InvalidOperationException("BERTH_SCREENSHOTS names no folder");
        Directory.CreateDirectory(folder);
        await Furnish();
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(1180, 760, ct);
        await browser.Open($"http://{on.Address}/account/sign-in", ct);
        await browser.Picture(Path.Combine(folder, "web-sign-in.png"), ct);
        await browser.Fill("input[name=principal]", RegistryUnderTest.User, ct);
        await browser.Fill("input[name=password]", RegistryUnderTest.Password, ct);
        await browser.Click("form button.primary", ct);
        await browser.Until("location.pathname === '/projects'", ct);
        foreach (var (name, path) in s_pictures) await Picture(browser, folder, name, path);
        await browser.SendHeader("Accept-Language", "zh-CN,zh;q=0.9", ct);
        await browser.PreferScheme("dark", ct);
        await Picture(browser, folder, "repository-dark-zh", "/projects/shop/repositories/web/api");
        await browser.Resize(390, 760, ct);
        await Picture(browser, folder, "project-phone-zh", "/projects/shop");
        await browser.SendHeader("Accept-Language", "en", ct);
        await browser.PreferScheme("light", ct);
        await Picture(browser, folder, "artifact-phone", "/projects/shop/artifacts/1.4.2/web/api");
    }

    private async Task Picture(Chromium browser, string folder, string name, string path)
    {
        await browser.Open($"http://{on.Address}{path}", ct);
        await browser.Until("document.querySelector('h1')", ct);
        await browser.Picture(Path.Combine(folder, $"web-{name}.png"), ct);
    }

    private async Task Furnish()
    {
        var api = new ManagementApi(on.Address);
        using var http = new RegistryHttp($"http://{on.Address}");
        http.SignIn(RegistryUnderTest.User, RegistryUnderTest.Password);
        foreach (var (project, isPublic) in (ValueTuple<string, string>[])[("shop", "false"), ("platform", "true"), ("data", "false"), ("mirror", "true")])
            await api.Call(HttpMethod.Post, "/api/v2.0/projects", $$$"""{"project_name":"{{{project}}}","metadata":{"public":"{{{isPublic}}}"},"storage_limit":{{{(project == "shop" ? 10737418240 : -1)}}}}""", ct);
        foreach (var (repository, tag, image) in (ValueTuple<string, string, OciLayout>[])
            [
                ("shop/web/frontend", "2.0.1", images.MultiArch()), ("shop/worker", "0.9.0", images.Zstd()), ("shop/web/api", "1.4.1", images.MultiArch()), ("shop/web/api", "latest", images.MultiArch()),
                ("shop/web/api", "1.4.2", images.TwentyLayers()), ("shop/web/api", "latest", images.TwentyLayers()), ("shop/web/api", "dev", images.Small()), ("platform/base/debian", "12", images.Small()),
                ("platform/base/node", "22", images.TwentyLayers()), ("data/etl", "2026.11", images.Zstd()), ("data/notebook", "1", images.DockerManifestList()), ("mirror/busybox", "1.36", await images.Busybox()),
            ])
            await http.Push(repository, tag, image, ct);
        foreach (var (user, name) in (ValueTuple<string, string>[])[("mona", "Mona Lind"), ("wei", "Wei Zhang"), ("sam", "Sam Osei")])
            await api.Call(HttpMethod.Post, "/api/v2.0/users", $$"""{"username":"{{user}}","realname":"{{name}}","email":"{{user}}@example.org","password":"Guide-12345"}""", ct);
        foreach (var group in (string[])["builders", "operations"]) await api.Call(HttpMethod.Post, "/api/v2.0/usergroups", $$"""{"group_name":"{{group}}","group_type":0}""", ct);
        foreach (var (user, role) in (ValueTuple<string, int>[])[("mona", 1), ("wei", 2), ("sam", 3)])
            await api.Call(HttpMethod.Post, "/api/v2.0/projects/shop/members", $$"""{"role_id":{{role}},"member_user":{"username":"{{user}}"} }""", ct);
        await api.Call(HttpMethod.Post, "/api/berth/v1/projects/shop/access-rules", """{"subject":{"kind":"role","name":"developer"},"repository":"release/**","actions":["push","delete"],"effect":"deny"}""", ct);
        await api.Call(HttpMethod.Post, "/api/berth/v1/roles", """{"name":"puller","permissions":["repository:pull","repository:list","artifact:list"]}""", ct);
        await api.Call(HttpMethod.Post, "/api/v2.0/robots", """
            {"name":"cluster-eu","level":"system","duration":90,"description":"pulls for the cluster","permissions":[{"kind":"project","namespace":"*","access":[{"resource":"repository","action":"pull"}]}]}
            """, ct);
        await api.AddRobot("ci", "shop", ct);
        await api.Call(HttpMethod.Post, "/api/berth/v1/users/current/tokens", """{"name":"laptop"}""", ct);
        await api.Call(HttpMethod.Post, "/api/v2.0/system/gc/schedule", """{"schedule":{"type":"Manual"},"parameters":{"dry_run":true}}""", ct);
    }
}
