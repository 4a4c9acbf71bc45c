using System.Text.Json.Nodes;
using Berth.Server.Access.Rules;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>What the forms of access rules do.</summary>
internal static class RuleForms
{
    /// <summary>Whom a rule may be about.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["user", "group", "robot", "role", "anybody"];

    /// <summary>What a rule may be about.</summary>
    public static readonly IReadOnlyList<string> Actions = ["pull", "push", "delete", "create", "retag"];

    /// <summary>Whether a rule takes away.</summary>
    public static bool IsDenied(RuleJson rule) => rule.Effect == "deny";

    /// <summary>Makes a rule.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var subject = new JsonObject { ["kind"] = call.Field("kind") };
        if (call.Field("kind") != "anybody") subject["name"] = call.Field("name");
        var body = new JsonObject
        {
            ["subject"] = subject,
            ["actions"] = new JsonArray([.. call.Form!["action"].Select(a => JsonValue.Create(a))]),
            ["effect"] = call.Field("effect") == "deny" ? "deny" : "allow",
        };
        if (call.Field("repository") is { Length: > 0 } repository) body["repository"] = repository;
        if (call.Field("tag") is { Length: > 0 } tag) body["tag"] = tag;
        return call.ChangeAsync("createAccessRule", PathOf(call), new AccessWords(call.Language).RuleMade, body: body);
    }

    /// <summary>Deletes a rule.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("deleteAccessRule", PathOf(call), call.Words.Deleted, [("id", call.Field("id"))]);

    private static string PathOf(UiCall call) => $"/projects/{Uri.EscapeDataString(call.Project!.Name)}/rules";
}
