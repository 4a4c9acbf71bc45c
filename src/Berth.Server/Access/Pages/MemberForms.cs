using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Access.Pages;

/// <summary>What the forms of members do.</summary>
internal static class MemberForms
{
    /// <summary>Makes somebody a member.</summary>
    public static Task<UiOutcome> AddAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "createMember", PathOf(call), new AccessWords(call.Language).MemberAdded,
        body: new JsonObject { ["kind"] = call.Field("kind"), ["name"] = call.Field("name"), ["role"] = call.Field("role") });

    /// <summary>Gives a member another role.</summary>
    public static Task<UiOutcome> ChangeAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "updateMember", PathOf(call), new AccessWords(call.Language).RoleChanged, [("id", call.Field("id"))], new JsonObject { ["role"] = call.Field("role") });

    /// <summary>Takes a member out.</summary>
    public static Task<UiOutcome> RemoveAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("deleteMember", PathOf(call), new AccessWords(call.Language).MemberRemoved, [("id", call.Field("id"))]);

    private static string PathOf(UiCall call) => $"/projects/{Uri.EscapeDataString(call.Project!.Name)}/members";
}
