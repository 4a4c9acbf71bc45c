using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Browser;

/// <summary>
/// The pages in a real browser, as people use them. With <c>BERTH_SCREENSHOTS</c> naming a folder, pictures of the pages are left there.
/// </summary>
public sealed class WebUiTests(SignedInRegistryAndShell on, DockerEngine28 docker, ImageFixtures images) : IClassFixture<SignedInRegistryAndShell>, IClassFixture<DockerEngine28>
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    private string Root => $"http://{on.Address}";

    [Fact]
    public async Task Somebody_signs_in_makes_a_project_pushes_with_crane_and_sees_the_image()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(1280, 860, ct);
        await SignIn(browser);

        // A project, through the dialog.
        await browser.Click("button[commandfor=new-project]", ct);
        await browser.Until("document.querySelector('#new-project').open", ct);
        await browser.Fill("#new-project input[name=name]", "shop", ct);
        await browser.Click("#new-project button[type=submit]", ct);
        await browser.Until("location.pathname === '/projects/shop'", ct);
        await browser.Shows($"docker push {on.Address}/shop/my-image:latest", ct);
        await Picture(browser, "project-empty");

        // A real client pushes; the page shows it.
        await on.Shell.Run("crane", "auth", "login", on.Address, "-u", RegistryUnderTest.User, "-p", RegistryUnderTest.Password);
        await on.Shell.Run("crane", "push", "--insecure", images.TwentyLayers().Folder, on.Name("shop/web/api:1.4.2"));
        await on.Shell.Run("crane", "push", "--insecure", images.MultiArch().Folder, on.Name("shop/web/api:latest"));
        await browser.Open(Root + "/projects/shop", ct);
        await browser.Click("td a.main", ct);
        await browser.Until("location.pathname === '/projects/shop/repositories/web/api'", ct);
        await browser.Shows("1.4.2", ct);
        await Picture(browser, "repository");
        await browser.Open(Root + "/projects/shop/artifacts/latest/web/api", ct);
        await browser.Shows("linux/arm64", ct);
        await Picture(browser, "artifact-index");
        await browser.Open(Root + "/projects/shop/artifacts/1.4.2/web/api", ct);
        await browser.Shows("docker pull", ct);
        await Picture(browser, "artifact");

        // The key, the box, the finding.
        await browser.Eval("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }))", ct);
        await browser.Until("document.activeElement.id === 'site-search'", ct);
        await browser.Open(Root + "/search?text=api", ct);
        await browser.Shows("shop/web/api", ct);

        // A tag moves and comes back with one click.
        await on.Shell.Run("crane", "tag", "--insecure", on.Name("shop/web/api:1.4.2"), "latest");
        await browser.Open(Root + "/projects/shop/repositories/web/api?view=history", ct);
        await Picture(browser, "history");
        await browser.Until("document.querySelectorAll('tbody tr').length === 3", ct);
        await browser.Eval("document.querySelectorAll('tbody tr')[1].querySelector('button').click()", ct);
        await browser.Until("document.querySelectorAll('tbody tr').length === 4", ct);
        Assert.Equal(images.MultiArch().Digest, (await on.Shell.Run("crane", "digest", "--insecure", on.Name("shop/web/api:latest"))).Out.Trim());

        // What is deleted is gone.
        await browser.Open(Root + "/projects/shop/repositories/web/api", ct);
        await browser.Eval("[...document.querySelectorAll('tbody tr')].find(r => r.innerText.includes('1.4.2')).querySelector('input[name=pick]').click()", ct);
        await browser.Click("#delete-many button[type=submit]", ct);
        await browser.Until("!document.querySelector('table').innerText.includes('1.4.2')", ct);
    }

    [Fact]
    public async Task A_robot_is_made_and_pushes_with_the_command_that_is_shown()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(1280, 860, ct);
        await SignIn(browser);
        await new ManagementApi(on.Address).Call(HttpMethod.Post, "/api/v2.0/projects", """{"project_name":"robots"}""", ct);
        await browser.Open(Root + "/projects/robots/robots", ct);
        await browser.Click("button[commandfor=new-robot]", ct);
        await browser.Fill("#new-robot input[name=name]", "ci", ct);
        await browser.Click("#new-robot input[name=push]", ct);
        await browser.Click("#new-robot button[type=submit]", ct);
        await browser.Shows("robot$robots+ci", ct);
        await Picture(browser, "robot-made");

        // What stands there, as it stands there: sign in, name the image, push.
        var commands = (await browser.Eval("[...document.querySelectorAll('section[role=status] pre')].slice(1).map(p => p.innerText).join('\\n')", ct))!.GetValue<string>();
        Assert.Contains("docker login", commands, StringComparison.Ordinal);
        File.Copy(await images.BusyboxProgram(), on.Shell.Folder.File("web-build", "busybox"), overwrite: true);
        on.Shell.Write("web-build/Dockerfile", "FROM scratch\nCOPY busybox /busybox\n");
        await docker.Run(on.Shell, "build", "-q", "-t", "my-image:latest", on.Shell.Folder.Folder("web-build"));
        await docker.RunScript(on.Shell, commands);
        await browser.Open(Root + "/projects/robots", ct);
        await browser.Shows("my-image", ct);
    }

    [Fact]
    public async Task Pages_follow_the_readers_language_scheme_and_width_and_are_read_without_scripts()
    {
        RegistryUnderTest.OnlyBerth("web pages");
        await using var browser = await Chromium.Start(ct);
        await browser.Resize(1280, 860, ct);
        await SignIn(browser);
        await new ManagementApi(on.Address).Call(HttpMethod.Post, "/api/v2.0/projects", """{"project_name":"wide","metadata":{"public":"true"}}""", ct);
        await browser.PreferScheme("dark", ct);
        await browser.SendHeader("Accept-Language", "zh-CN,zh;q=0.9", ct);
        await browser.Open(Root + "/projects", ct);
        await browser.Shows("新建项目", ct);
        await browser.Until("getComputedStyle(document.body).backgroundColor === 'rgb(16, 22, 27)'", ct);
        await Picture(browser, "projects-dark-zh");
        await browser.SendHeader("Accept-Language", "en", ct);
        await browser.PreferScheme("light", ct);

        foreach (var path in (string[])["/projects", "/projects/wide/members"])
        {
            await browser.Resize(390, 844, ct);
            await browser.Open(Root + path, ct);
            await browser.Until("document.querySelector('h1') && document.documentElement.lang === 'en' && document.documentElement.scrollWidth <= innerWidth", ct);
            await Picture(browser, "phone" + path.Replace('/', '-'));
        }

        await browser.AllowScripts(false, ct);
        await browser.Resize(1280, 860, ct);
        await browser.Open(Root + "/projects/wide/members", ct);
        await browser.Shows("Who may do what in this project", ct);
        Assert.False((await browser.Eval("document.documentElement.classList.contains('js')", ct))!.GetValue<bool>());
    }

    private async Task SignIn(Chromium browser)
    {
        await browser.Open(Root + "/", ct);
        await browser.Until("location.pathname === '/account/sign-in'", ct);
        await Picture(browser, "sign-in");
        await browser.Fill("input[name=principal]", RegistryUnderTest.User, ct);
        await browser.Fill("input[name=password]", RegistryUnderTest.Password, ct);
        await browser.Click("form button.primary", ct);
        await browser.Until("location.pathname === '/projects'", ct);
    }

    private async Task Picture(Chromium browser, string name)
    {
        if (Environment.GetEnvironmentVariable("BERTH_SCREENSHOTS") is not { Length: > 0 } folder) return;
        Directory.CreateDirectory(folder);
        await browser.Picture(Path.Combine(folder, name + ".png"), ct);
    }
}
