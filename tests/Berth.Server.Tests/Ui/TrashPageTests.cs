using System.Net;
using System.Text.RegularExpressions;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>What is deleted on a page is offered back at once, and later in the trash.</summary>
public sealed partial class TrashPageTests
{
    private const string Repository = "/projects/team/repositories/app";
    private const string Trash = "/projects/team/trash";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_deleted_in_bulk_comes_back_by_the_undo_of_the_message()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var (one, two) = (TestImage.New(1), TestImage.New(2));
        await app.PushAsync("team/app", "v1", one, Ct);
        await app.PushAsync("team/app", "v1.0", one, Ct);
        await app.PushAsync("team/app", "v2", two, Ct);
        Assert.Contains("rests in the trash for 7 days", (await UiApp.ReadAsync(admin, Repository, Ct)).Html, StringComparison.Ordinal);

        await UiApp.DoAsync(admin, Repository, "delete-many", Ct, ("pick", one.Digest.Value), ("pick", two.Digest.Value));
        Assert.Null(await app.PullAsync("team/app", "v1", Ct));
        var (_, html) = await UiApp.ReadAsync(admin, Repository, Ct);
        Assert.Contains("Deleted: 2", html, StringComparison.Ordinal);
        var undo = Undo().Match(html).Groups[1].Value;
        Assert.NotEmpty(undo);

        using var answer = await UiApp.SendAsync(admin, Trash, "undo", Ct, ("undo", undo), ("to", Repository));
        Assert.Equal(Repository, answer.Headers.Location!.OriginalString);
        foreach (var (tag, image) in new[] { ("v1", one), ("v1.0", one), ("v2", two) }) Assert.Equal(image.Manifest, await app.PullAsync("team/app", tag, Ct));
        Assert.Contains("Nothing has been deleted", (await UiApp.ReadAsync(admin, Trash, Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tag_that_was_taken_off_comes_back_alone()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var image = TestImage.New(3);
        await app.PushAsync("team/app", "v1", image, Ct);
        await app.PushAsync("team/app", "v2", image, Ct);
        await UiApp.DoAsync(admin, "/projects/team/artifacts/v1/app", "remove-tag", Ct, ("tag", "v2"), ("digest", image.Digest.Value));
        Assert.Null(await app.PullAsync("team/app", "v2", Ct));
        var (_, html) = await UiApp.ReadAsync(admin, Trash, Ct);
        Assert.Contains("app</span><span class=\"main\">:v2", html, StringComparison.Ordinal);
        Assert.Contains("7 days left", html, StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Trash, "restore", Ct, ("pick", Pick().Match(html).Groups[1].Value));
        Assert.Equal(image.Manifest, await app.PullAsync("team/app", "v2", Ct));
    }

    [Fact]
    public async Task A_whole_repository_comes_back_by_the_undo_of_the_message()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var (one, two) = (TestImage.New(7), TestImage.New(8));
        var index = TestImage.Index([one, two]);
        foreach (var image in new[] { one, two }) await app.PushAsync("team/app", image.Digest.Value, image, Ct);
        await app.PushAsync("team/app", "v1", index, Ct);
        await app.PushAsync("team/app", "single", two, Ct);
        await UiApp.DoAsync(admin, Repository, "delete-repository", Ct);
        var undo = Undo().Match((await UiApp.ReadAsync(admin, "/projects/team", Ct)).Html).Groups[1].Value;
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(admin, Repository, Ct)).Status);
        await UiApp.DoAsync(admin, Trash, "undo", Ct, ("undo", undo), ("to", Repository));
        Assert.Equal(index.Manifest, await app.PullAsync("team/app", "v1", Ct));
        Assert.Equal(two.Manifest, await app.PullAsync("team/app", "single", Ct));
        Assert.Equal(one.Manifest, await app.PullAsync("team/app", one.Digest.Value, Ct));
    }

    [Fact]
    public async Task What_goes_for_good_asks_for_the_name_and_the_right_to_it()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "3"));
        await app.PushAsync("team/app", "v1", TestImage.New(4), Ct);
        await app.PushAsync("team/app", "v2", TestImage.New(5), Ct);
        foreach (var tag in new[] { "v1", "v2" }) await UiApp.DoAsync(admin, $"/projects/team/artifacts/{tag}/app", "delete", Ct);
        var (_, html) = await UiApp.ReadAsync(admin, Trash, Ct);
        var first = Pick().Match(html).Groups[1].Value;

        // A guest does not see it: something may have been deleted because they should not; a form of their own making is refused.
        Assert.Equal(HttpStatusCode.Forbidden, (await UiApp.ReadAsync(user, Trash, Ct)).Status);
        Assert.DoesNotContain("/trash\"", (await UiApp.ReadAsync(user, "/projects/team", Ct)).Html, StringComparison.Ordinal);
        foreach (var (action, confirm) in new[] { ("purge", "team"), ("empty", "team"), ("restore", "") })
        {
            using var refused = await UiApp.SendAsync(user, Trash, action, Ct, ("pick", first), ("confirm", confirm));
            Assert.True(refused.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Conflict, $"{action}: {refused.StatusCode}");
        }

        using (var unnamed = await UiApp.SendAsync(admin, Trash, "purge", Ct, ("pick", first), ("confirm", "tea"))) Assert.Equal(HttpStatusCode.UnprocessableEntity, unnamed.StatusCode);
        await UiApp.DoAsync(admin, Trash, "purge", Ct, ("pick", first), ("confirm", "team"));
        Assert.Single(Pick().Matches((await UiApp.ReadAsync(admin, Trash, Ct)).Html));
        await UiApp.DoAsync(admin, Trash, "empty", Ct, ("confirm", "team"));
        Assert.Contains("being removed", (await UiApp.ReadAsync(admin, Trash, Ct)).Html, StringComparison.Ordinal);

        // Without a trash the pages say so, and a repository goes only by its name.
        await app.PushAsync("team/app", "v3", TestImage.New(6), Ct);
        await UiApp.DoAsync(admin, Trash, "window", Ct, ("days", "0"));
        Assert.Contains("The trash of this project is off", (await UiApp.ReadAsync(admin, Trash, Ct)).Html, StringComparison.Ordinal);
        Assert.Contains("This cannot be undone.", (await UiApp.ReadAsync(admin, Repository, Ct)).Html, StringComparison.Ordinal);
        using (var unnamed = await UiApp.SendAsync(admin, Repository, "delete-repository", Ct)) Assert.Equal(HttpStatusCode.UnprocessableEntity, unnamed.StatusCode);
        await UiApp.DoAsync(admin, Repository, "delete-repository", Ct, ("confirm", "app"));
        Assert.DoesNotContain("name=\"undo\"", (await UiApp.ReadAsync(admin, "/projects/team", Ct)).Html, StringComparison.Ordinal);
    }

    [GeneratedRegex("name=\"undo\" value=\"([0-9.]+)\"")]
    private static partial Regex Undo();

    [GeneratedRegex("name=\"pick\" value=\"([0-9]+)\"")]
    private static partial Regex Pick();
}
