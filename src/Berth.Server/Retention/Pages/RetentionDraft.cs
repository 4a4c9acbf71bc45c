using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Retention.Dialects;
using Berth.Server.Ui;

namespace Berth.Server.Retention.Pages;

/// <summary>
/// A policy while somebody works on it. It lives in the page's form, not on the server: every step sends it, and the page comes back with the next one and with what it would
/// do. Nothing is saved before somebody says so.
/// </summary>
internal sealed record RetentionDraft
{
    /// <summary>The rules.</summary>
    public RetentionRuleSet Rules { get; init; } = new();

    /// <summary>Position of the rule that is being edited; -1 for none, the number of rules for a new one.</summary>
    public int Editing { get; init; } = -1;

    /// <summary>Whether somebody asked for the simulation, however long it takes.</summary>
    public bool IsAsked { get; init; }

    /// <summary>Page of the simulation's table, from 1.</summary>
    public int Page { get; init; } = 1;

    /// <summary>What of an imported policy decides nothing here.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public string Cron { get; init; } = "";

    public bool OnPush { get; init; }

    public bool IsDisabled { get; init; }

    /// <summary>As the form carries the rules.</summary>
    public string Text => RetentionDialects.WriteOwn(Rules);

    /// <summary>The rule that the form shows.</summary>
    public RetentionRule Edited => Editing >= 0 && Editing < Rules.Rules.Count ? Rules.Rules[Editing] : new RetentionRule { Name = $"rule-{Rules.Rules.Count + 1}" };

    /// <summary>What is saved.</summary>
    public static RetentionDraft Of(RetentionPolicyJson policy) => new()
    {
        Rules = policy.Policy is { } json ? RetentionDialects.Read(RetentionDialects.Own, json.GetRawText())?.Rules ?? new RetentionRuleSet() : new RetentionRuleSet(),
        Cron = policy.Cron ?? "",
        OnPush = policy.OnPush == true,
        IsDisabled = policy.Disabled == true,
    };

    /// <summary>What the form carries; null when somebody has tampered with it.</summary>
    public static RetentionDraft? Of(UiCall call)
    {
        if (RetentionDialects.Read(RetentionDialects.Own, call.Field("draft"))?.Rules is not { } rules) return null;
        // The fields of how the rules are read are there once there are rules.
        if (call.Form!.ContainsKey("unit")) rules = WithOptions(rules, call);
        var preset = call.Field("schedule");
        return new RetentionDraft
        {
            Rules = rules,
            Editing = int.TryParse(call.Field("editing"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var editing) ? Math.Clamp(editing, -1, rules.Rules.Count) : -1,
            Cron = preset == "custom" ? call.Field("cron") : preset,
            OnPush = call.IsChecked("on-push"),
            IsDisabled = call.IsChecked("disabled"),
        };
    }

    /// <summary>Whether it says anything else than another one.</summary>
    public bool Differs(RetentionDraft other) => (Text, Cron, OnPush, IsDisabled) != (other.Text, other.Cron, other.OnPush, other.IsDisabled);

    private static RetentionRuleSet WithOptions(RetentionRuleSet rules, UiCall call) => rules with
    {
        RestGoes = call.IsChecked("rest-goes"),
        FloatingFollows = call.IsChecked("floating"),
        LeavesUntagged = call.IsChecked("leaves-untagged"),
        KeepsUsed = ConditionText.ReadAge(call.Field("keeps-used")) ?? rules.KeepsUsed,
        Unit = call.Field("unit") == "image" ? RetentionUnit.Image : RetentionUnit.Tag,
        Precedence = call.Field("precedence") == "first" ? RetentionPrecedence.FirstSelection : RetentionPrecedence.KeepBeatsDelete,
    };

    /// <summary>With other rules.</summary>
    public RetentionDraft With(IReadOnlyList<RetentionRule> rules) => this with { Rules = Rules with { Rules = rules }, Editing = -1 };

    /// <summary>The body of a question to the simulator, or of a save.</summary>
    public JsonObject Body() => new()
    {
        ["dialect"] = RetentionDialects.Own,
        ["policy"] = JsonNode.Parse(Text),
        ["cron"] = Cron,
        ["on_push"] = OnPush,
        ["disabled"] = IsDisabled,
    };
}
