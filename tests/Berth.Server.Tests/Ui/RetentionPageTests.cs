using System.Net;
using System.Text.RegularExpressions;
using Berth.Server.Retention;
using Berth.Server.Retention.Dialects;
using Berth.Server.Retention.Pages;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Ui;

/// <summary>A policy is drafted, simulated, saved and run on a page without scripts.</summary>
public sealed partial class RetentionPageTests
{
    private const string Page = "/projects/team/retention";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_draft_is_simulated_before_it_is_saved_and_then_runs()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var old = TestImage.New(1);
        await app.PushAsync("team/app", "dev-1", old, Ct);
        await app.PushAsync("team/app", "dev-2", TestImage.New(2), Ct);
        await app.PushAsync("team/app", "v1.0.0", TestImage.New(3), Ct);
        Assert.Contains("Everything stays for now", (await UiApp.ReadAsync(admin, Page, Ct)).Html, StringComparison.Ordinal);

        // A template, then a rule of one's own, then what it would do; nothing is saved.
        var html = await StepAsync(admin, "template-semver", null);
        html = await StepAsync(admin, "new", html);
        html = await StepAsync(admin, "apply", html, ("name", "builds"), ("action", "keep"), ("tags", "dev-* re:^build-"), ("c0-kind", "newest:pushed"), ("c0-number", "1"), ("any", "all"), ("state", "tagged"));
        Assert.Contains("Keep tags dev-* or re:^build- that are among the newest 1 pushed.", UiApp.Text(html), StringComparison.Ordinal);
        var text = Spaces().Replace(UiApp.Text(html), " ");
        Assert.Contains("app:dev-1 goes now no rule keeps it", text, StringComparison.Ordinal);
        Assert.Contains("app:dev-2 kept kept by rule builds", text, StringComparison.Ordinal);
        Assert.Contains("app:v1.0.0 kept kept by rule newest-patches", text, StringComparison.Ordinal);
        Assert.Contains($"{old.Blobs.Sum(b => b.Length):N0} bytes", text, StringComparison.Ordinal);
        Assert.Contains("Not saved yet", text, StringComparison.Ordinal);
        Assert.Contains("Everything stays for now", (await UiApp.ReadAsync(admin, Page, Ct)).Html, StringComparison.Ordinal);

        // Saved, with a schedule.
        using (var saved = await PostAsync(admin, "save", html, ("schedule", "0 0 3 * * *"))) Assert.Equal(HttpStatusCode.SeeOther, saved.StatusCode);
        var (_, shown) = await UiApp.ReadAsync(admin, Page, Ct);
        Assert.Contains("<option value=\"0 0 3 * * *\" selected", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("Not saved yet", shown, StringComparison.Ordinal);
        Assert.Contains("goes now", shown, StringComparison.Ordinal);

        // Tried out, then run: the report is the simulator's table.
        await RunAsync(app, admin, isDry: true);
        Assert.NotNull(await app.PullAsync("team/app", "dev-1", Ct));
        var report = Spaces().Replace(UiApp.Text(await RunAsync(app, admin, isDry: false)), " ");
        Assert.Contains("app:dev-1 went no rule keeps it", report, StringComparison.Ordinal);
        Assert.Contains("app:dev-2 kept kept by rule builds: among the newest 1 pushed", report, StringComparison.Ordinal);
        Assert.Null(await app.PullAsync("team/app", "dev-1", Ct));
        Assert.Contains(":dev-1", (await UiApp.ReadAsync(admin, "/projects/team/trash", Ct)).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_policy_of_another_system_becomes_a_draft_or_is_refused_with_the_reason()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        var html = await StepAsync(admin, "import", null, ("dialect", "acr-purge"), ("text", "acr purge --filter 'app:dev-.*' --ago 30d --keep 5 --untagged"));
        Assert.Contains("dev-", UiApp.Text(html), StringComparison.Ordinal);
        Assert.Contains("name=\"unit\"", html, StringComparison.Ordinal);
        using var refused = await PostAsync(admin, "import", html, ("dialect", "ecr"), ("text", """{"rules":[{"rulePriority":1}]}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var problem = await refused.Content.ReadAsStringAsync(Ct);
        Assert.Contains("rules[0].selection", UiApp.Text(problem), StringComparison.Ordinal);
        // The draft is still there.
        Assert.Contains("dev-", UiApp.Text(problem), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_those_who_may_save_it_can()
    {
        await using var app = await UiApp.StartAsync();
        using var admin = await app.AdminAsync(Ct);
        using var user = await app.SignInAsync("local", "Local12345", Ct);
        await UiApp.DoAsync(admin, "/projects", "create", Ct, ("name", "team"));
        await UiApp.DoAsync(admin, "/projects/team/members", "add", Ct, ("kind", "user"), ("name", "local"), ("role", "3"));
        Assert.Equal(HttpStatusCode.Forbidden, (await UiApp.ReadAsync(user, Page, Ct)).Status);
        var html = await StepAsync(admin, "template-date", null);
        using var tampered = await PostAsync(admin, "save", html, ("draft", "{"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, tampered.StatusCode);
        using var answer = await UiApp.SendAsync(user, Page, "draft", Ct, ("step", "save"), ("draft", DraftOf(html)));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("v* !latest re:^a+$ !re:x prefix:rc- !prefix:b")]
    [InlineData("")]
    public void Patterns_are_the_same_after_the_way_through_a_field(string text) => Assert.Equal(text, PatternText.Of(PatternText.Read(text)));

    [Fact]
    public void Conditions_are_the_same_after_the_way_through_a_form()
    {
        RetentionCondition[] all =
        [
            RetentionCondition.Newest(3, RetentionClock.Active) with { CountsImages = true, CountsMatching = true }, RetentionCondition.Within(TimeSpan.FromDays(9), RetentionClock.Created),
            RetentionCondition.Within(TimeSpan.FromHours(36), RetentionClock.Pulled).Not(), RetentionCondition.Within(TimeSpan.FromMinutes(90)), RetentionCondition.Versions(2, VersionLine.Major),
            RetentionCondition.Used(TimeSpan.FromDays(1)),
        ];
        foreach (var condition in all)
            Assert.Equal(condition, ConditionText.Read(ConditionText.KindOf(condition), ConditionText.NumberOf(condition), condition.IsNegated, condition));
        Assert.Null(ConditionText.Read("newest:pushed", "many", false, null));
        Assert.Null(ConditionText.Read("within:pushed", "-3", false, null));
    }

    [Fact]
    public void Templates_are_policies_that_the_engine_takes_and_are_added_once()
    {
        foreach (var name in RetentionTemplates.Names)
        {
            var set = RetentionTemplates.AddTo(new RetentionRuleSet(), name);
            Assert.True(CompiledRuleSet.TryCreate(set, out _, out var problems), string.Join("; ", problems));
            Assert.NotEmpty(set.Rules);
            Assert.True(set.RestGoes);
            Assert.Equal(RetentionDialects.WriteOwn(set), RetentionDialects.WriteOwn(RetentionTemplates.AddTo(set, name)));
        }
    }

    private static async Task<string> RunAsync(UiApp app, HttpClient admin, bool isDry)
    {
        using var started = await UiApp.SendAsync(admin, Page, "run", Ct, isDry ? [("dry", "1")] : []);
        var path = started.Headers.Location!.OriginalString;
        var html = "";
        await Eventually.TrueAsync(async () => (html = (await UiApp.ReadAsync(admin, path, Ct)).Html).Contains(">done<", StringComparison.Ordinal) && !html.Contains("data-live=", StringComparison.Ordinal), "the run ends");
        return html;
    }

    private static async Task<string> StepAsync(HttpClient browser, string step, string? html, params (string, string)[] fields)
    {
        using var answer = await PostAsync(browser, step, html, fields);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{step}: {answer.StatusCode} {UiApp.Text(text)}");
        return text;
    }

    // As a browser sends the form of the page that it has.
    private static Task<HttpResponseMessage> PostAsync(HttpClient browser, string step, string? html, params (string Name, string Value)[] fields)
    {
        var all = new Dictionary<string, string> { ["draft"] = html is null ? "{}" : DraftOf(html), ["step"] = step };
        if (html is not null)
        {
            all["editing"] = Editing().Match(html).Groups[1].Value;
            if (html.Contains("name=\"unit\"", StringComparison.Ordinal))
            {
                (all["unit"], all["keeps-used"]) = ("tag", "7");
                if (RestGoes().IsMatch(html)) all["rest-goes"] = "1";
            }
        }
        foreach (var (name, value) in fields) all[name] = value;
        return UiApp.SendAsync(browser, Page, "draft", Ct, [.. all.Select(f => (f.Key, f.Value))]);
    }

    private static string DraftOf(string html) => WebUtility.HtmlDecode(Draft().Match(html).Groups[1].Value);

    [GeneratedRegex("name=\"draft\" value=\"([^\"]*)\"")]
    private static partial Regex Draft();

    [GeneratedRegex("name=\"editing\" value=\"([^\"]*)\"")]
    private static partial Regex Editing();

    [GeneratedRegex("name=\"rest-goes\" value=\"1\" checked")]
    private static partial Regex RestGoes();

    [GeneratedRegex("\\s+")]
    private static partial Regex Spaces();
}
