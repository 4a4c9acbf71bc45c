using System.Net;
using Berth.Server.Audit.Pages;
using Berth.Server.GarbageCollection.Pages;
using Berth.Server.Ui;

namespace Berth.Server.Tests.Ui;

/// <summary>Promotion, the registry's retention, expiry by labels and its events, on pages without scripts.</summary>
public sealed class LifecyclePagesTests
{
    private const string Artifact = "/projects/team/artifacts/rc1/app";
    private const string Repository = "/projects/team/repositories/app";
    private const string Retention = "/administration/retention";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tags_are_promoted_by_the_form_of_an_artifact_and_of_a_repository()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        foreach (var name in new[] { "team", "production" }) await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", name));
        var (one, two) = (UiImages.With(["base", "one"], ["A=1"]), UiImages.With(["base", "two"], ["A=2"]));
        await app.PushAsync("team/app", "rc1", one, Ct);
        await app.PushAsync("team/app", "rc2", two, Ct);

        // One tag by another name, with a stage.
        Assert.Contains("Promote to another repository", (await UiApp.ReadAsync(admin, Artifact, Ct)).Html, StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Artifact, "promote", Ct, ("tag", "rc1"), ("to-project", "production"), ("to-repository", "app"), ("as", "v1.0.0"), ("to-stage", "release"));
        Assert.Equal(one.Manifest, await app.PullAsync("production/app", "v1.0.0", Ct));
        Assert.Contains("stage:release", (await UiApp.ReadAsync(admin, "/projects/production/artifacts/v1.0.0/app", Ct)).Html, StringComparison.Ordinal);

        // Two artifacts at once; all or none.
        (string, string)[] both = [("pick", one.Digest.Value), ("pick", two.Digest.Value), ("tag-of-" + one.Digest.Value, "rc1"), ("tag-of-" + two.Digest.Value, "rc2"), ("to-project", "production"), ("to-repository", "web")];
        await UiApp.DoAsync(admin, Repository, "promote", Ct, both);
        Assert.Equal(two.Manifest, await app.PullAsync("production/web", "rc2", Ct));
        await app.PushAsync("production/web", "rc1", two, Ct);
        using (var refused = await UiApp.SendAsync(admin, Repository, "promote", Ct, both))
        {
            Assert.False(refused.IsSuccessStatusCode);
            Assert.NotEqual(HttpStatusCode.SeeOther, refused.StatusCode);
        }
        await UiApp.DoAsync(admin, Repository, "promote", Ct, [.. both, ("overwrite", "1")]);
        Assert.Equal(one.Manifest, await app.PullAsync("production/web", "rc1", Ct));

        // What says too little is told.
        using var nothing = await UiApp.SendAsync(admin, Artifact, "promote", Ct, ("to-project", "production"), ("to-repository", "app"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, nothing.StatusCode);
        using var nowhere = await UiApp.SendAsync(admin, Artifact, "promote", Ct, ("tag", "rc1"), ("to-project", ""), ("to-repository", ""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, nowhere.StatusCode);
    }

    [Fact]
    public async Task Who_may_not_push_there_cannot_promote_there()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        foreach (var name in new[] { "team", "production" }) await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", name));
        foreach (var name in new[] { "team", "production" }) await UiApp.DoAsync(admin, $"/projects/{name}/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", name == "team" ? "2" : "3"));
        await app.PushAsync("team/app", "rc1", UiImages.With(["base"], ["A=1"]), Ct);
        using var refused = await UiApp.SendAsync(user, Artifact, "promote", Ct, ("tag", "rc1"), ("to-project", "production"), ("to-repository", "app"));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Null(await app.PullAsync("production/app", "rc1", Ct));
    }

    [Fact]
    public async Task The_policy_of_the_registry_is_simulated_saved_with_a_schedule_and_deleted()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "dev-1", UiImages.With(["base"], ["A=1"]), Ct);
        const string Policy = """{"rules":[{"name":"releases","action":"keep","selection":{"state":"tagged","tags":[{"kind":"glob","text":"v*"}]}}],"rest_goes":true}""";
        (string, string)[] draft = [("draft", Policy), ("editing", "-1"), ("unit", "tag"), ("precedence", "keep"), ("rest-goes", "1"), ("keeps-used", "7"), ("schedule", "0 0 3 * * *")];
        using (var shown = await UiApp.SendAsync(admin, Retention, "draft", Ct, [.. draft, ("step", "simulate")]))
        {
            var html = await shown.Content.ReadAsStringAsync(Ct);
            Assert.Contains("team/app:dev-1", html, StringComparison.Ordinal);
            Assert.Contains("/projects/team/artifacts/dev-1/app", html, StringComparison.Ordinal);
            Assert.Contains("goes now", html, StringComparison.Ordinal);
        }
        await UiApp.DoAsync(admin, Retention, "draft", Ct, [.. draft, ("step", "save")]);
        Assert.Contains("releases", (await UiApp.ReadAsync(admin, Retention, Ct)).Html, StringComparison.Ordinal);
        var jobs = UiApp.Text((await UiApp.ReadAsync(admin, "/administration/jobs", Ct)).Html);
        Assert.Contains("0 0 3 * * *", jobs, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await UiApp.ReadAsync(user, Retention, Ct)).Status);
        using (var wrong = await UiApp.SendAsync(admin, Retention, "delete", Ct, ("confirm", "something else"))) Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        await UiApp.DoAsync(admin, Retention, "delete", Ct, ("confirm", admin.BaseAddress!.Authority));
        Assert.Contains("Everything stays for now", (await UiApp.ReadAsync(admin, Retention, Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_decide_about_expiry_where_the_switch_is_on_and_webhooks_are_told()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        const string Settings = "/projects/team/settings";
        const string On = "name=\"from-labels\" checked";
        Assert.DoesNotContain(On, (await UiApp.ReadAsync(admin, Settings, Ct)).Html, StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Settings, "expiry", Ct, ("from-labels", "on"));
        Assert.Contains(On, (await UiApp.ReadAsync(admin, Settings, Ct)).Html, StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Settings, "expiry", Ct);
        Assert.DoesNotContain(On, (await UiApp.ReadAsync(admin, Settings, Ct)).Html, StringComparison.Ordinal);

        await UiApp.DoAsync(
            admin, "/projects/team/webhooks", "create", Ct, ("name", "ends"), ("address", "https://hooks.example.org/x"), ("type", "http"), ("event", "TAG_EXPIRING"), ("event", "TAG_EXPIRED"), ("event", "TAG_RETENTION"));
        // The row of the table, not the form of a new one.
        var row = UiApp.Text((await UiApp.ReadAsync(admin, "/projects/team/webhooks", Ct)).Html).Split("https://hooks.example.org/x")[1].Split("Deliveries")[0];
        Assert.All(new[] { "Retention has run", "Tag expires soon", "Tag expired" }, word => Assert.Contains(word, row, StringComparison.Ordinal));
    }

    [Fact]
    public void Long_digests_and_parameters_are_shown_as_people_read_them()
    {
        Assert.Equal("shop/web@sha256:0123456789ab… gone", AuditText.Short($"shop/web@sha256:{string.Concat(Enumerable.Repeat("0123456789abcdef", 4))} gone"));
        Assert.Equal("shop/web:v1", AuditText.Short("shop/web:v1"));
        var words = new GarbageWords(Language.English);
        Assert.Equal("Only tell what would go; would free 2 KiB: 1 blob, 3 manifests", words.HowOf("""{"delete_untagged":false,"dry_run":true,"workers":1,"freed_space":2048,"purged_blobs":1,"purged_manifests":3}"""));
        Assert.Equal("Delete untagged manifests too", words.HowOf("""{"delete_untagged":true,"dry_run":false}"""));
        Assert.Equal("", words.HowOf(null));
    }
}
