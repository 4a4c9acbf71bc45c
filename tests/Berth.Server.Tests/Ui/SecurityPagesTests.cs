using System.Net;
using System.Text.RegularExpressions;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>What pages show of the contents of images: to whom, in which words, and what they do.</summary>
public sealed partial class SecurityPagesTests
{
    private const string Findings = "/projects/team/findings/v1/app";
    private const string Packages = "/projects/team/packages/v1/app";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_is_scanned_from_its_page_which_then_lists_filters_and_offers_what_was_found()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0"), ("is-odd", "3.0.1")), Ct);
        Assert.Contains("Never scanned", UiApp.Text((await UiApp.ReadAsync(admin, Findings, Ct)).Html), StringComparison.Ordinal);
        Assert.Contains("known after the first scan", UiApp.Text((await UiApp.ReadAsync(admin, Packages, Ct)).Html), StringComparison.Ordinal);
        Assert.Contains("not scanned", UiApp.Text((await UiApp.ReadAsync(admin, "/projects/team/repositories/app", Ct)).Html), StringComparison.Ordinal);

        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "CVE-2020-1", Ct);
        var (_, html) = await UiApp.ReadAsync(admin, Findings, Ct);
        var text = UiApp.Text(html);
        foreach (var seen in new[] { "CVE-2020-2", "TEST-2020-3", "left-pad", "1.3.1", "is-odd", "not fixed yet", "Critical", "judged by the advisory database of", "the database is old" }) Assert.Contains(seen, text, StringComparison.Ordinal);
        // The worst first.
        Assert.True(text.IndexOf("CVE-2020-1", StringComparison.Ordinal) < text.IndexOf("TEST-2020-3", StringComparison.Ordinal));

        foreach (var (filter, has, lacks) in new[] { ("severity=High", "TEST-2020-3", "CVE-2020-1"), ("fixable=true", "CVE-2020-2", "TEST-2020-3"), ("q=too+little", "CVE-2020-2", "CVE-2020-1"), ("package=is-odd", "TEST-2020-3", "CVE-2020-2"), ("q=nothing-like-it", "Nothing matches", "CVE-2020-1") })
        {
            var filtered = UiApp.Text((await UiApp.ReadAsync(admin, $"{Findings}?{filter}", Ct)).Html);
            Assert.Contains(has, filtered, StringComparison.Ordinal);
            Assert.DoesNotContain(lacks, filtered, StringComparison.Ordinal);
        }
        Assert.Contains("1 critical", UiApp.Text((await UiApp.ReadAsync(admin, "/projects/team/repositories/app", Ct)).Html), StringComparison.Ordinal);
        Assert.Contains("1 critical", UiApp.Text((await UiApp.ReadAsync(admin, "/projects/team/artifacts/v1/app", Ct)).Html), StringComparison.Ordinal);
        var packages = UiApp.Text((await UiApp.ReadAsync(admin, Packages, Ct)).Html);
        Assert.Contains("app/node_modules/is-odd/package.json", packages, StringComparison.Ordinal);
        Assert.DoesNotContain("left-pad", UiApp.Text((await UiApp.ReadAsync(admin, Packages + "?q=odd", Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_texts_and_links_out_of_images_and_advisories_stay_text()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0"), ("is-odd", "3.0.1"), (ScanImages.Hostile, "=1+1")), Ct);
        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "TEST-2020-3", Ct);
        foreach (var path in new[] { Findings, Packages, Findings + "?q=" + Uri.EscapeDataString(ScanImages.Hostile), Packages + "?q=" + Uri.EscapeDataString(ScanImages.Hostile), Findings + "?package=" + Uri.EscapeDataString("\"><b>") })
        {
            var (status, html) = await UiApp.ReadAsync(admin, path, Ct);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.DoesNotContain("<img src=x", html, StringComparison.Ordinal);
            Assert.DoesNotContain("\"><b>", html, StringComparison.Ordinal);
            Assert.DoesNotContain("href=\"javascript:", html, StringComparison.OrdinalIgnoreCase);
        }
        Assert.Contains(ScanImages.Hostile, WebUtility.HtmlDecode((await UiApp.ReadAsync(admin, Packages, Ct)).Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_are_downloaded_in_every_form_and_a_cell_is_no_formula()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0")), Ct);
        const string Api = "/api/berth/v1/projects/team/repositories/app/artifacts/v1";
        using (var early = await admin.GetAsync(new Uri(Api + "/findings.csv", UriKind.Relative), Ct)) Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "CVE-2020-1", Ct);
        var (_, html) = await UiApp.ReadAsync(admin, Findings, Ct);
        var files = Download().Matches(html).Select(m => WebUtility.HtmlDecode(m.Groups[1].Value)).ToList();
        Assert.Equal(7, files.Count);
        foreach (var file in files)
        {
            using var answer = await admin.GetAsync(new Uri(file, UriKind.Relative), Ct);
            Assert.True(answer.IsSuccessStatusCode, $"{file}: {answer.StatusCode}");
            Assert.Contains("left-pad", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        var lines = (await admin.GetStringAsync(new Uri(Api + "/findings.csv", UriKind.Relative), Ct)).Split("\r\n");
        Assert.StartsWith("Vulnerability,Severity,Package,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("CVE-2020-1,Critical,left-pad,1.2.0,1.3.1,", lines[1], StringComparison.Ordinal);
        Assert.Equal("\"'=HYPERLINK(\"\"x\"\",1)\"", Berth.Server.Scanning.FindingsTable.Cell("=HYPERLINK(\"x\",1)"));
    }

    [Fact]
    public async Task Of_an_index_the_union_is_shown_and_each_platform_by_itself()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var (one, two) = (ScanImages.Npm(("left-pad", "1.2.0")), ScanImages.Npm(("left-pad", "1.3.0"), ("is-odd", "3.0.1")));
        foreach (var image in new[] { one, two }) await app.PushAsync("team/app", image.Digest.Value, image, Ct);
        await app.PushAsync("team/app", "v1", TestImage.Index([one, two]), Ct);
        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "TEST-2020-3", Ct);
        await ScanImages.SaysAsync(admin, Findings, "CVE-2020-2", Ct);
        var union = UiApp.Text((await UiApp.ReadAsync(admin, Findings, Ct)).Html);
        Assert.Contains("linux/amd64", union, StringComparison.Ordinal);
        var first = UiApp.Text((await UiApp.ReadAsync(admin, $"{Findings}?image={Uri.EscapeDataString(one.Digest.Value)}", Ct)).Html);
        Assert.Contains("CVE-2020-2", first, StringComparison.Ordinal);
        Assert.DoesNotContain("TEST-2020-3", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_look_into_a_project_sees_nothing_of_it_and_guests_ask_for_no_scans()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0")), Ct);
        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "CVE-2020-1", Ct);
        foreach (var path in new[] { Findings, Packages, "/projects/team/security", "/projects/team/exceptions", "/projects/team/inside/app?a=v1&b=v1", "/administration/security", "/administration/exceptions" })
        {
            var (status, html) = await UiApp.ReadAsync(user, path, Ct);
            Assert.True(status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{path}: {status}");
            Assert.DoesNotContain("left-pad", html, StringComparison.Ordinal);
        }
        using (var report = await user.GetAsync(new Uri("/api/berth/v1/projects/team/repositories/app/artifacts/v1/findings.csv", UriKind.Relative), Ct)) Assert.False(report.IsSuccessStatusCode);

        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "3"));
        var (seen, guest) = await UiApp.ReadAsync(user, Findings, Ct);
        Assert.Equal(HttpStatusCode.OK, seen);
        Assert.Contains("CVE-2020-1", guest, StringComparison.Ordinal);
        Assert.DoesNotContain("Scan again", guest, StringComparison.Ordinal);
        using (var refused = await UiApp.SendAsync(user, Findings, "scan", Ct)) Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var forged = new FormUrlEncodedContent([new("_proof", "wrong"), new("do", "scan")]);
        using var unproven = await admin.PostAsync(new Uri(Findings, UriKind.Relative), forged, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, unproven.StatusCode);

        // A rule closes one repository of the project.
        await UiApp.DoAsync(admin, "/projects/team/rules", "create", Ct, ("kind", "user"), ("name", "local"), ("repository", "app"), ("action", "pull"), ("effect", "deny"));
        Assert.DoesNotContain("CVE-2020-1", (await UiApp.ReadAsync(user, Findings, Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_images_are_scanned_from_the_overview_which_also_sets_the_schedule()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        const string Page = "/administration/security";
        Assert.Contains("There is no advisory database", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
        app.UseAdvisories();
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0")), Ct);
        await app.PushAsync("team/base", "v1", ScanImages.Npm(("left-pad", "1.2.0")), Ct);
        await app.PushAsync("team/app", "v2", ScanImages.Npm(("left-pad", "1.2.0"), ("is-odd", "3.0.1")), Ct);
        await UiApp.DoAsync(admin, Page, "scan-all", Ct);
        await ScanImages.SaysAsync(admin, Page, "3 of 3 images", Ct);
        await ScanImages.SaysAsync(admin, Page, "CVE-2020-1", Ct);
        Assert.Matches("By base image\\s+Base image\\s+Built on it\\s+Findings\\s+team/(app|base)", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html));
        await UiApp.DoAsync(admin, Page, "schedule", Ct, ("type", "Custom"), ("cron", "0 0 3 * * *"));
        var (_, html) = await UiApp.ReadAsync(admin, Page, Ct);
        Assert.Contains("value=\"0 0 3 * * *\"", html, StringComparison.Ordinal);
        Assert.Contains("older than a week", html, StringComparison.Ordinal);
        using (var wrong = await UiApp.SendAsync(admin, Page, "schedule", Ct, ("type", "Custom"), ("cron", "when I say"))) Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        await UiApp.DoAsync(admin, Page, "schedule", Ct, ("type", "None"));
        Assert.DoesNotContain("0 0 3 * * *\"", (await UiApp.ReadAsync(admin, Page, Ct)).Html, StringComparison.Ordinal);
        var (_, chinese) = await UiApp.ReadAsync(admin, Page, Ct, "zh-CN");
        Assert.Contains("公告数据库", chinese, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flaw_and_a_package_are_found_in_the_projects_that_the_reader_may_see()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        foreach (var (project, isPublic) in new[] { ("team", ""), ("open", "on") })
        {
            await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", project), ("public", isPublic));
            await app.PushAsync($"{project}/app", "v1", ScanImages.Npm(("left-pad", "1.2.0"), ("is-odd", "3.0.1")), Ct);
            await UiApp.DoAsync(admin, $"/projects/{project}/findings/v1/app", "scan", Ct);
            await ScanImages.SaysAsync(admin, $"/projects/{project}/findings/v1/app", "CVE-2020-1", Ct);
        }
        foreach (var query in new[] { "id=cve-2020-1", "package=left-pad", "package=left-pad&version=1.2.0" })
        {
            var (_, all) = await UiApp.ReadAsync(admin, "/search/vulnerabilities?" + query, Ct);
            Assert.Contains("team/app", all, StringComparison.Ordinal);
            Assert.Contains("open/app", all, StringComparison.Ordinal);
            var (_, seen) = await UiApp.ReadAsync(user, "/search/vulnerabilities?" + query, Ct);
            Assert.Contains("open/app", seen, StringComparison.Ordinal);
            Assert.DoesNotContain("team/app", seen, StringComparison.Ordinal);
        }
        Assert.Contains("No image that you may see has it", UiApp.Text((await UiApp.ReadAsync(admin, "/search/vulnerabilities?package=left-pad&version=9", Ct)).Html), StringComparison.Ordinal);
        Assert.Contains("package=left-pad\"", WebUtility.HtmlDecode((await UiApp.ReadAsync(admin, "/search/vulnerabilities?package=left", Ct)).Html), StringComparison.Ordinal);
        Assert.Contains("/search/vulnerabilities?id=CVE-2020-1\"", (await UiApp.ReadAsync(admin, "/search?text=CVE-2020-1", Ct)).Html, StringComparison.Ordinal);
        var mine = await user.GetStringAsync(new Uri("/api/berth/v1/security/affected.csv?vulnerability=CVE-2020-1", UriKind.Relative), Ct);
        Assert.Contains("open/app", mine, StringComparison.Ordinal);
        Assert.DoesNotContain("team/app", mine, StringComparison.Ordinal);
        Assert.Contains("left-pad,1.2.0", await admin.GetStringAsync(new Uri("/api/berth/v1/security/affected.csv?package=left-pad", UriKind.Relative), Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exceptions_take_findings_out_with_their_reason_and_the_gate_shows_whom_it_would_stop()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "2"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0"), ("is-odd", "3.0.1")), Ct);
        await UiApp.DoAsync(admin, Findings, "scan", Ct);
        await ScanImages.SaysAsync(admin, Findings, "CVE-2020-1", Ct);
        const string Security = "/projects/team/security";
        const string Exceptions = "/projects/team/exceptions";
        await UiApp.DoAsync(admin, Security, "save-gate", Ct, ("prevent_vul", "on"), ("severity", "critical"), ("pull_gate_mode", "warn"), ("pull_gate_unscanned", "allow"), ("pull_gate_grace_minutes", "15"));
        var gate = UiApp.Text((await UiApp.ReadAsync(admin, Security, Ct)).Html);
        Assert.Contains("CVE-2020-1", gate, StringComparison.Ordinal);
        Assert.Contains("dry run", gate, StringComparison.Ordinal);

        await UiApp.DoAsync(admin, Exceptions, "save-list", Ct, ("ids", "CVE-2020-1\nCVE-2020-9"), ("until", "2999-12-31"));
        Assert.Contains("CVE-2020-9", (await UiApp.ReadAsync(admin, Exceptions, Ct)).Html, StringComparison.Ordinal);
        Assert.Contains("value=\"2999-12-31\"", (await UiApp.ReadAsync(admin, Exceptions, Ct)).Html, StringComparison.Ordinal);
        var findings = UiApp.Text((await UiApp.ReadAsync(admin, Findings, Ct)).Html);
        Assert.Contains("1 finding does not count", findings, StringComparison.Ordinal);
        Assert.Contains("allow list of the project", findings, StringComparison.Ordinal);
        Assert.Contains("Nothing would be refused", UiApp.Text((await UiApp.ReadAsync(admin, Security, Ct)).Html), StringComparison.Ordinal);

        await UiApp.DoAsync(admin, Exceptions, "add", Ct, ("kind", "trivyignore"), ("name", "ours.trivyignore"), ("note", "looked at it"), ("content", "TEST-2020-3\n"));
        var (_, listed) = await UiApp.ReadAsync(admin, Exceptions, Ct);
        Assert.Contains("ours.trivyignore", listed, StringComparison.Ordinal);
        Assert.Contains("looked at it", UiApp.Text((await UiApp.ReadAsync(admin, Findings, Ct)).Html), StringComparison.Ordinal);
        using (var wrong = await UiApp.SendAsync(admin, Exceptions, "add", Ct, ("kind", "openvex"), ("name", "x"), ("content", "no document"))) Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using (var day = await UiApp.SendAsync(admin, Exceptions, "save-list", Ct, ("ids", "CVE-1"), ("until", "tomorrow"))) Assert.Equal(HttpStatusCode.UnprocessableEntity, day.StatusCode);

        // A developer sees them, and changes nothing.
        Assert.Contains("ours.trivyignore", (await UiApp.ReadAsync(user, Exceptions, Ct)).Html, StringComparison.Ordinal);
        foreach (var (path, action) in new[] { (Exceptions, "save-list"), (Exceptions, "add"), (Security, "save-gate"), (Security, "save-scanning") })
        {
            using var refused = await UiApp.SendAsync(user, path, action, Ct, ("ids", ""), ("kind", "trivyignore"), ("name", "mine"), ("content", "CVE-1"), ("severity", "low"));
            Assert.True(refused.StatusCode == HttpStatusCode.Forbidden, $"{action}: {refused.StatusCode}");
        }
        await UiApp.DoAsync(admin, Exceptions, "remove", Ct, ("exception", Exception().Match(listed).Groups[1].Value));
        Assert.DoesNotContain("ours.trivyignore", (await UiApp.ReadAsync(admin, Exceptions, Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_tags_are_compared_by_what_is_inside()
    {
        await using var app = await UiApp.StartAsync();
        app.UseAdvisories();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await app.PushAsync("team/app", "v1", ScanImages.Npm(("left-pad", "1.2.0")), Ct);
        await app.PushAsync("team/app", "v2", ScanImages.Npm(("left-pad", "1.3.1"), ("is-odd", "3.0.1")), Ct);
        const string Page = "/projects/team/inside/app?a=v1&b=v2";
        Assert.Contains("scan it first", UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html), StringComparison.Ordinal);
        foreach (var (tag, found) in new[] { ("v1", "CVE-2020-1"), ("v2", "TEST-2020-3") })
        {
            await UiApp.DoAsync(admin, $"/projects/team/findings/{tag}/app", "scan", Ct);
            await ScanImages.SaysAsync(admin, $"/projects/team/findings/{tag}/app", found, Ct);
        }
        var text = UiApp.Text((await UiApp.ReadAsync(admin, Page, Ct)).Html);
        var (come, gone) = (text.IndexOf("TEST-2020-3", StringComparison.Ordinal), text.IndexOf("CVE-2020-1", StringComparison.Ordinal));
        Assert.True(come > 0 && gone > come, text);
        Assert.Contains("1.3.1", text, StringComparison.Ordinal);
        Assert.Contains("Changed packages", text, StringComparison.Ordinal);
    }

    [GeneratedRegex("<a href=\"([^\"]+)\" data-plain download")]
    private static partial Regex Download();

    [GeneratedRegex("name=\"exception\" value=\"([0-9]+)\"")]
    private static partial Regex Exception();
}
