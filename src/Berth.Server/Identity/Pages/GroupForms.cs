using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Identity.Pages;

/// <summary>What the forms of groups do.</summary>
internal static class GroupForms
{
    /// <summary>What a name of a directory looks like.</summary>
    public const string ExampleDn = "cn=developers,ou=groups,dc=example,dc=org";

    private const string Page = "/administration/groups";

    /// <summary>Makes a group.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct)
    {
        var kind = int.TryParse(call.Field("kind"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var body = new JsonObject { ["group_name"] = call.Field("name"), ["group_type"] = kind };
        if (call.Field("dn") is { Length: > 0 } dn) body["ldap_group_dn"] = dn;
        return call.ChangeAsync("createUserGroup", Page, new IdentityWords(call.Language).GroupMade, body: body);
    }

    /// <summary>Deletes a group, with the roles that it has.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) => call.Field("confirm") == call.Field("name")
        ? call.ChangeAsync("deleteUserGroup", Page, call.Words.Deleted, [("group_id", call.Field("id"))])
        : Task.FromResult(UiOutcome.Refuse(call.Words.NameDoesNotMatch));

    /// <summary>Puts somebody into a group.</summary>
    public static Task<UiOutcome> AddAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("addGroupMember", PathOf(call), call.Words.Saved, [("group_id", call.Field("id"))], new JsonObject { ["username"] = call.Field("user") });

    /// <summary>Takes somebody out of a group.</summary>
    public static Task<UiOutcome> RemoveAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("removeGroupMember", PathOf(call), call.Words.Saved, [("group_id", call.Field("id")), ("user_id", call.Field("user"))]);

    private static string PathOf(UiCall call) => $"{Page}?group={Uri.EscapeDataString(call.Field("id"))}";
}
