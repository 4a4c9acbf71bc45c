using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Berth.Oci;
using Berth.Server.Artifacts.Pages;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>Two artifacts side by side, what has a layer, labels and what is attached to what.</summary>
public sealed partial class ArtifactPageTests
{
    private const string Repository = "/projects/team/repositories/app";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_that_are_chosen_in_the_table_are_shown_side_by_side()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var one = UiImages.With(["base", "tools", "app-1"], ["PATH=/bin", "VERSION=1"], annotations: new JsonObject { ["commit"] = "aaa" });
        var two = UiImages.With(["base", "app-2"], ["PATH=/bin", "VERSION=2", "MODE=fast"], annotations: new JsonObject { ["commit"] = "bbb" });
        await app.PushAsync("team/app", "v1", one, Ct);
        await app.PushAsync("team/app", "v2", two, Ct);
        using (var single = await UiApp.SendAsync(admin, Repository, "compare", Ct, ("pick", one.Digest.Value))) Assert.Equal(HttpStatusCode.UnprocessableEntity, single.StatusCode);
        using var answer = await UiApp.SendAsync(
            admin, Repository, "compare", Ct, ("pick", one.Digest.Value), ("pick", two.Digest.Value), ("tag-of-" + one.Digest.Value, "v1"), ("tag-of-" + two.Digest.Value, "v2"));
        Assert.Equal("/projects/team/compare/app?a=v1&b=v2", answer.Headers.Location!.OriginalString);
        var (status, html) = await UiApp.ReadAsync(admin, answer.Headers.Location.OriginalString, Ct);
        Assert.Equal(HttpStatusCode.OK, status);
        var text = Spaces().Replace(UiApp.Text(html), " ");
        Assert.Contains("COPY base / ", text, StringComparison.Ordinal);
        Assert.Contains("ENV VERSION 1 2", text, StringComparison.Ordinal);
        Assert.Contains("ENV MODE not there fast", text, StringComparison.Ordinal);
        Assert.Contains("commit aaa bbb", text, StringComparison.Ordinal);
        Assert.DoesNotContain("ENV PATH", text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(admin, "/projects/team/compare/app?a=v1&b=v9", Ct)).Status);
        Assert.Contains("Choose two tags", (await UiApp.ReadAsync(admin, "/projects/team/compare/app", Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_not_signed_in_reads_the_images_of_a_public_project_and_not_its_trash()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"), ("public", "on"));
        await app.PushAsync("team/app", "v1", UiImages.With(["base"], ["PATH=/bin"]), Ct);
        using var anybody = app.Server.Browser();
        var (status, html) = await UiApp.ReadAsync(anybody, Repository, Ct);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("v1", UiApp.Text(html), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(anybody, "/projects/team/repositories/none", Ct)).Status);
        Assert.NotEqual(HttpStatusCode.OK, (await UiApp.ReadAsync(anybody, "/projects/team/trash", Ct)).Status);
    }

    [Fact]
    public void Layers_that_both_have_stand_on_one_line_and_are_counted_once()
    {
        static LayerLine Line(string name, long size) => new(name, "", size, $"COPY {name}");
        var difference = ArtifactDifference.Of([Line("a", 10), Line("b", 20), Line("c", 30)], [Line("a", 10), Line("x", 5), Line("c", 30), Line("c", 30)]);
        Assert.Equal(["a=a", "b=", "=x", "c=c", "=c"], difference.Layers.Select(p => $"{p.Left?.Digest}={p.Right?.Digest}"));
        Assert.Equal((40, 20, 5), (difference.SharedBytes, difference.LeftBytes, difference.RightBytes));
        Assert.Equal(["a 1 2", "b 1 ", "c  3"], ArtifactDifference.ValuesOf([("a", "1"), ("b", "1")], [("c", "3"), ("a", "0"), ("a", "2")]).Select(v => $"{v.Key} {v.Left} {v.Right}"));
    }

    [Fact]
    public async Task What_has_a_layer_is_shown_to_those_who_may_see_it()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        foreach (var name in new[] { "team", "secret" }) await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", name));
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "3"));
        var (mine, theirs, other) = (UiImages.With(["base", "one"], ["A=1"]), UiImages.With(["base", "two"], ["A=1"]), UiImages.With(["base", "three"], ["A=1"]));
        await app.PushAsync("secret/app", "hidden", theirs, Ct);
        await app.PushAsync("team/app", "v1", mine, Ct);
        await app.PushAsync("team/web", "v3", other, Ct);
        var page = $"/projects/team/layers/{Uri.EscapeDataString(Digest.Of(mine.Blobs[1]).Value)}/app";
        Assert.Contains("used by", (await UiApp.ReadAsync(admin, "/projects/team/artifacts/v1/app", Ct)).Html, StringComparison.Ordinal);
        var all = UiApp.Text((await UiApp.ReadAsync(admin, page, Ct)).Html);
        Assert.Contains("secret/app", all, StringComparison.Ordinal);
        Assert.Contains("team/web", all, StringComparison.Ordinal);
        var seen = UiApp.Text((await UiApp.ReadAsync(user, page, Ct)).Html);
        Assert.DoesNotContain("secret", seen, StringComparison.Ordinal);
        Assert.Contains("team/web", seen, StringComparison.Ordinal);

        // A page at a time, and nothing of a layer that the project does not have.
        var first = await app.Server.Program("admin", "Harbor12345").GetStringAsync(new Uri($"/api/berth/v1/projects/team/blobs/{Digest.Of(mine.Blobs[1])}/uses?page_size=2", UriKind.Relative), Ct);
        var next = JsonNode.Parse(first)!["next"]!.GetValue<long>();
        var second = await app.Server.Program("admin", "Harbor12345").GetStringAsync(new Uri($"/api/berth/v1/projects/team/blobs/{Digest.Of(mine.Blobs[1])}/uses?page_size=2&after={next}", UriKind.Relative), Ct);
        Assert.Equal(3, JsonNode.Parse(first)!["items"]!.AsArray().Concat(JsonNode.Parse(second)!["items"]!.AsArray()).Select(i => i!["digest"]!.GetValue<string>()).Distinct().Count());
        Assert.Null(JsonNode.Parse(second)!["next"]);
        Assert.Equal(HttpStatusCode.NotFound, (await UiApp.ReadAsync(admin, $"/projects/team/layers/{Uri.EscapeDataString(Digest.Of(theirs.Blobs[2]).Value)}/app", Ct)).Status);
    }

    [Fact]
    public async Task Labels_are_put_on_and_taken_off_and_referrers_of_referrers_are_shown()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await UiApp.DoAsync(admin, "/projects/team/labels", "create", Ct, ("name", "approved"), ("color", "#1f6b3a"));
        var image = UiImages.With(["base"], ["A=1"]);
        await app.PushAsync("team/app", "v1", image, Ct);
        var sbom = TestImage.Artifact(image.Descriptor, "application/spdx+json");
        var signature = TestImage.Artifact(sbom.Descriptor, "application/vnd.example.signature");
        foreach (var referrer in new[] { sbom, signature }) await app.PushAsync("team/app", referrer.Digest.Value, referrer, Ct);
        const string Page = "/projects/team/artifacts/v1/app";
        var (_, html) = await UiApp.ReadAsync(admin, Page, Ct);
        Assert.Contains("tree-2", html, StringComparison.Ordinal);
        Assert.Contains(ArtifactPaths.Short(signature.Digest.Value), html, StringComparison.Ordinal);
        var label = LabelOption().Match(html).Groups[1].Value;
        await UiApp.DoAsync(admin, Page, "add-label", Ct, ("label", label));
        Assert.Contains("Take the label approved off", (await UiApp.ReadAsync(admin, Page, Ct)).Html, StringComparison.Ordinal);
        await UiApp.DoAsync(admin, Page, "remove-label", Ct, ("label", label));
        Assert.DoesNotContain("Take the label approved off", (await UiApp.ReadAsync(admin, Page, Ct)).Html, StringComparison.Ordinal);
    }

    [GeneratedRegex("\\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex("<option value=\"([0-9]+)\">approved<")]
    private static partial Regex LabelOption();
}
