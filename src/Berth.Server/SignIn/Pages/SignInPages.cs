using Berth.Server.Api;
using Berth.Server.Ui;

namespace Berth.Server.SignIn.Pages;

/// <summary>The pages of signing in, of sessions and of the sources of accounts.</summary>
internal static class SignInPages
{
    /// <summary>Each with what a reader needs, its forms and its tab.</summary>
    public static readonly UiPage[] All =
    [
        new("/account/sign-in", ApiNeed.Anybody, typeof(SignInPage))
        {
            IsOpenBeforePasswordChange = true,
            Actions = [new("sign-in", SignInForms.SignInAsync), new("sign-out", SignInForms.SignOutAsync)],
        },
        new("/oidc-onboard", ApiNeed.Anybody, typeof(OnboardPage))
        {
            Actions = [new("onboard", SignInForms.OnboardAsync)],
        },
        new("/account/sessions", ApiNeed.SignedIn, typeof(SessionsPage))
        {
            Tab = new UiTab(UiTabGroup.Account, 40, l => new SignInWords(l).Sessions),
            Actions = [new("end", SignInForms.EndAsync), new("end-others", SignInForms.EndOthersAsync)],
        },
        new("/administration/identity", ApiNeed.Admin, typeof(IdentityPage))
        {
            Tab = new UiTab(UiTabGroup.Administration, 25, l => new SourceWords(l).Sources),
            Actions =
            [
                new("save-ldap", (call, _) => SourceForms.SaveAsync(call, 0)), new("test-ldap", SourceForms.TestLdapAsync),
                new("save-oidc", (call, _) => SourceForms.SaveAsync(call, 1)), new("test-oidc", SourceForms.TestOidcAsync),
            ],
        },
    ];
}
