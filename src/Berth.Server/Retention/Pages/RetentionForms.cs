using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Retention.Dialects;
using Berth.Server.Ui;

namespace Berth.Server.Retention.Pages;

/// <summary>What the forms of retention do. One form carries the draft; its buttons name the step, such as <c>edit:2</c>.</summary>
internal static class RetentionForms
{
    /// <summary>Most rows of conditions in the form of a rule.</summary>
    public const int MaxConditions = 12;

    /// <summary>The page, with the level that it is about.</summary>
    public static string PathOf(UiCall call, string more = "")
    {
        var query = string.Join('&', new[] { LevelOf(call) is [(_, { Length: > 0 } r)] ? "repository=" + Uri.EscapeDataString(r) : "", more }.Where(p => p.Length > 0));
        return (call.Project is { } project ? $"/projects/{Uri.EscapeDataString(project.Name)}/retention" : "/administration/retention") + (query.Length > 0 ? "?" + query : "");
    }

    /// <summary>The query that names the level below a project; the registry has none.</summary>
    public static (string Name, string Value)[] LevelOf(UiCall call) => call.Project is null ? [] : [("repository", call.Query("repository"))];

    /// <summary>An operation on the policy of the page: the project's or the registry's.</summary>
    public static string Operation(UiCall call, string verb, string rest = "") => $"{verb}{(call.Project is null ? "Registry" : "Project")}Retention{rest}";

    /// <summary>What is typed to delete the policy.</summary>
    public static string NameOf(UiCall call) => call.Project?.Name ?? call.Registry;

    /// <summary>One step on the draft.</summary>
    public static async Task<UiOutcome> EditAsync(UiCall call, CancellationToken ct)
    {
        if (RetentionDraft.Of(call) is not { } draft) return UiOutcome.Refuse(call.Words.FormExpired);
        var (step, number) = call.Field("step").Split(':') is [var first, var second] ? (first, int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1) : (call.Field("step"), -1);
        var rules = draft.Rules.Rules;
        var isRule = number >= 0 && number < rules.Count;
        return step switch
        {
            "new" => UiOutcome.Show(draft with { Editing = rules.Count }),
            "edit" when isRule => UiOutcome.Show(draft with { Editing = number }),
            "cancel" => UiOutcome.Show(draft with { Editing = -1 }),
            "remove" when isRule => UiOutcome.Show(draft.With([.. rules.Where((_, i) => i != number)])),
            "toggle" when isRule => UiOutcome.Show(draft.With([.. rules.Select((r, i) => i == number ? r with { IsDisabled = !r.IsDisabled } : r)])),
            "up" when isRule && number > 0 => UiOutcome.Show(draft.With([.. rules.Take(number - 1), rules[number], rules[number - 1], .. rules.Skip(number + 1)])),
            "apply" => Apply(call, draft),
            "import" => Import(call, draft),
            "page" => UiOutcome.Show(draft with { Page = Math.Max(1, number), IsAsked = true }),
            "simulate" => UiOutcome.Show(draft with { IsAsked = true }),
            "discard" => UiOutcome.Go(PathOf(call)),
            "save" => await SaveAsync(call, draft).ConfigureAwait(false),
            _ when step.StartsWith("template-", StringComparison.Ordinal) => UiOutcome.Show(draft with { Rules = RetentionTemplates.AddTo(draft.Rules, step["template-".Length..]), Editing = -1 }),
            _ => UiOutcome.Show(draft),
        };
    }

    /// <summary>Runs the saved policy, or tries it out.</summary>
    public static async Task<UiOutcome> RunAsync(UiCall call, CancellationToken ct)
    {
        var isDry = call.IsChecked("dry");
        var result = await call.AskAsync(Operation(call, "run"), null, [.. LevelOf(call), ("dry_run", isDry ? "true" : "false")]).ConfigureAwait(false);
        if (result.Failure is { } failure) return UiOutcome.Refuse(failure.Message, result.Status);
        var run = (RetentionRunJson)result.Value!;
        return UiOutcome.Go(PathOf(call, string.Create(CultureInfo.InvariantCulture, $"view=runs&run={run.Id}")), new RetentionWords(call.Language).Started);
    }

    /// <summary>Stops a run.</summary>
    public static Task<UiOutcome> StopAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        Operation(call, "stop", "Run"), PathOf(call, "view=runs&run=" + Uri.EscapeDataString(call.Field("run"))), new RetentionWords(call.Language).Stopping, [("run_id", call.Field("run"))], query: LevelOf(call));

    /// <summary>Deletes the policy with its runs, when the name was typed.</summary>
    public static async Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) => call.Field("confirm") != NameOf(call)
        ? UiOutcome.Refuse(call.Words.NameDoesNotMatch)
        : await call.ChangeAsync(Operation(call, "delete"), PathOf(call), new RetentionWords(call.Language).PolicyDeleted, query: LevelOf(call)).ConfigureAwait(false);

    private static async Task<UiOutcome> SaveAsync(UiCall call, RetentionDraft draft)
    {
        var result = await call.AskAsync(Operation(call, "set"), null, LevelOf(call), draft.Body()).ConfigureAwait(false);
        return result.Failure is { } failure ? UiOutcome.Refuse(failure.Message, draft) : UiOutcome.Go(PathOf(call), new RetentionWords(call.Language).Saved);
    }

    private static UiOutcome Apply(UiCall call, RetentionDraft draft)
    {
        var words = new RetentionWords(call.Language);
        var before = draft.Edited;
        var conditions = new List<RetentionCondition>();
        for (var i = 0; i < MaxConditions; i++)
        {
            if (call.Field($"c{i}-kind") is not { Length: > 0 } kind) continue;
            var read = ConditionText.Read(kind, call.Field($"c{i}-number"), call.IsChecked($"c{i}-not"), i < before.Conditions.Count ? before.Conditions[i] : null);
            if (read is null) return UiOutcome.Refuse(words.NumberWrong, draft);
            conditions.Add(read);
        }
        var rule = before with
        {
            Name = call.Field("name"),
            Action = call.Field("action") == "delete" ? RetentionAction.Delete : RetentionAction.Keep,
            Note = call.Field("note") is { Length: > 0 } note ? note : null,
            Conditions = conditions,
            AnyCondition = call.Field("any") == "any",
            Selection = before.Selection with
            {
                Repositories = PatternText.Read(call.Field("repositories")),
                NotRepositories = PatternText.Read(call.Field("not-repositories")),
                Tags = PatternText.Read(call.Field("tags")),
                Labels = PatternText.Read(call.Field("labels")),
                Types = PatternText.Read(call.Field("types")),
                State = Enum.TryParse<TagState>(call.Field("state"), ignoreCase: true, out var state) ? state : TagState.Tagged,
            },
        };
        if (rule.Name.Length == 0) return UiOutcome.Refuse(words.NameMissing, draft);
        if (rule.Action == RetentionAction.Delete && conditions.Count == 0 && rule.Selection is { Tags.Count: 0, Repositories.Count: 0, Labels.Count: 0, State: TagState.Tagged }) return UiOutcome.Refuse(words.DeletesAll, draft);
        IReadOnlyList<RetentionRule> rules = draft.Editing < draft.Rules.Rules.Count ? [.. draft.Rules.Rules.Select((r, i) => i == draft.Editing ? rule : r)] : [.. draft.Rules.Rules, rule];
        return CompiledRuleSet.TryCreate(draft.Rules with { Rules = rules }, out _, out var problems)
            ? UiOutcome.Show(draft.With(rules))
            : UiOutcome.Refuse(string.Join("; ", problems), draft);
    }

    private static UiOutcome Import(UiCall call, RetentionDraft draft)
    {
        var reading = RetentionDialects.Read(call.Field("dialect"), call.Field("text"));
        if (reading?.Rules is not { } rules) return UiOutcome.Refuse(reading is null ? call.Words.FormExpired : string.Join("; ", reading.Problems), draft);
        return CompiledRuleSet.TryCreate(rules, out _, out var problems)
            ? UiOutcome.Show(draft with { Rules = rules, Notes = reading.Notes, Editing = -1 })
            : UiOutcome.Refuse(string.Join("; ", problems), draft);
    }

    /// <summary>JSON as people read it; a text that is none stays as it is.</summary>
    public static string Pretty(JsonNode? policy) => policy is JsonValue value && value.TryGetValue<string>(out var text)
        ? text
        : policy?.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) ?? "";
}
