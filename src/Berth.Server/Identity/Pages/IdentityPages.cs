using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.Identity.Pages;

/// <summary>The pages of accounts.</summary>
internal static class IdentityPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/account", ApiNeed.SignedIn, typeof(AccountPage))
        {
            Tab = new UiTab(UiTabGroup.Account, 10, l => new IdentityWords(l).Profile),
            Actions = [new("save", IdentityForms.SaveAsync)],
        },
        new("/account/password", ApiNeed.SignedIn, typeof(PasswordPage))
        {
            IsOpenBeforePasswordChange = true,
            Tab = new UiTab(UiTabGroup.Account, 30, l => new IdentityWords(l).Password),
            Actions = [new("change", IdentityForms.ChangePasswordAsync)],
        },
        new("/administration/users", ApiNeed.System(SystemPermissions.UserList), typeof(UsersPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 20, l => new IdentityWords(l).Users),
            Actions = [new("create", IdentityForms.CreateAsync), new("promote", IdentityForms.PromoteAsync), new("demote", IdentityForms.DemoteAsync), new("delete", IdentityForms.DeleteAsync)],
        },
        new("/administration/groups", ApiNeed.System(SystemPermissions.UserGroupList), typeof(GroupsPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 21, l => new IdentityWords(l).Groups),
            Actions = [new("create", GroupForms.CreateAsync), new("delete", GroupForms.DeleteAsync), new("add", GroupForms.AddAsync), new("remove", GroupForms.RemoveAsync)],
        },
    ];
}
