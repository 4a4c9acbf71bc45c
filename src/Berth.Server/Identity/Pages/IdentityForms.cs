using System.Globalization;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.Identity.Pages;

/// <summary>What the forms of accounts do.</summary>
internal static class IdentityForms
{
    /// <summary>Changes the reader's profile.</summary>
    public static Task<UiOutcome> SaveAsync(UiCall call, CancellationToken ct) => call.ChangeAsync(
        "updateUserProfile", "/account", call.Words.Saved, [Self(call)],
        new JsonObject { ["realname"] = call.Field("realname"), ["email"] = call.Field("email"), ["comment"] = call.Field("comment") });

    /// <summary>Changes the reader's password; that ends the session, so the sign-in page is next.</summary>
    public static async Task<UiOutcome> ChangePasswordAsync(UiCall call, CancellationToken ct)
    {
        var words = new IdentityWords(call.Language);
        var (old, wanted) = (call.Form!["old"].ToString(), call.Form["new"].ToString());
        if (wanted != call.Form["again"].ToString()) return UiOutcome.Refuse(words.Different);
        return await call.ChangeAsync("updateUserPassword", "/account", words.PasswordChanged, [Self(call)], new JsonObject { ["old_password"] = old, ["new_password"] = wanted }).ConfigureAwait(false);
    }

    /// <summary>Makes a user.</summary>
    public static Task<UiOutcome> CreateAsync(UiCall call, CancellationToken ct) => call.ChangeAsync("createUser", "/administration/users", new IdentityWords(call.Language).UserMade, body: new JsonObject
    {
        ["username"] = call.Field("username"),
        ["realname"] = call.Field("realname"),
        ["email"] = call.Field("email"),
        ["password"] = call.Form!["password"].ToString(),
    });

    /// <summary>Makes a user an administrator.</summary>
    public static Task<UiOutcome> PromoteAsync(UiCall call, CancellationToken ct) => SetAdminAsync(call, true);

    /// <summary>Makes an administrator a user.</summary>
    public static Task<UiOutcome> DemoteAsync(UiCall call, CancellationToken ct) => SetAdminAsync(call, false);

    /// <summary>Deletes a user.</summary>
    public static Task<UiOutcome> DeleteAsync(UiCall call, CancellationToken ct) =>
        call.ChangeAsync("deleteUser", "/administration/users", new IdentityWords(call.Language).UserDeleted, [("user_id", call.Field("id"))]);

    private static Task<UiOutcome> SetAdminAsync(UiCall call, bool isAdmin) =>
        call.ChangeAsync("setUserSysAdmin", "/administration/users", call.Words.Saved, [("user_id", call.Field("id"))], new JsonObject { ["sysadmin_flag"] = isAdmin });

    private static (string, string) Self(UiCall call) => ("user_id", call.Caller.SubjectId.ToString(CultureInfo.InvariantCulture));
}
