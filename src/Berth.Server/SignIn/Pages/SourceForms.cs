using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Server.Ui;

namespace Berth.Server.SignIn.Pages;

/// <summary>The settings of the sources that people's accounts come from, and what their forms do. A secret is taken and never shown.</summary>
internal static class SourceForms
{
    private const string Page = "/administration/identity";

    /// <summary>How a setting is asked for.</summary>
    internal enum Kind
    {
        Text,
        Number,
        Flag,
        Scope,
        Secret,
    }

    /// <summary>One setting of a source.</summary>
    internal sealed record Setting(string Name, Kind Kind = Kind.Text, string? Example = null);

    /// <summary>A source; it is in use when its first setting is filled.</summary>
    internal sealed record Source(string Name, IReadOnlyList<Setting> Settings);

    /// <summary>That a test went well.</summary>
    internal sealed record TestResult(string Text);

    /// <summary>In the order of the page.</summary>
    public static readonly IReadOnlyList<Source> Sources =
    [
        new("ldap",
        [
            new("ldap_url", Example: "ldaps://ldap.example.org"), new("ldap_search_dn", Example: "cn=reader,dc=example,dc=org"), new("ldap_search_password", Kind.Secret),
            new("ldap_base_dn", Example: "ou=people,dc=example,dc=org"), new("ldap_uid", Example: "uid"), new("ldap_filter", Example: "(objectClass=person)"), new("ldap_scope", Kind.Scope),
            new("ldap_group_base_dn", Example: "ou=groups,dc=example,dc=org"), new("ldap_group_search_filter", Example: "(objectClass=groupOfNames)"), new("ldap_group_attribute_name", Example: "cn"),
            new("ldap_group_search_scope", Kind.Scope), new("ldap_group_membership_attribute", Example: "memberof"), new("ldap_group_admin_dn", Example: "cn=admins,ou=groups,dc=example,dc=org"),
            new("ldap_timeout", Kind.Number), new("ldap_verify_cert", Kind.Flag), new("ldap_group_attach_parallel", Kind.Flag),
        ]),
        new("oidc",
        [
            new("oidc_endpoint", Example: "https://id.example.org"), new("oidc_name", Example: "example"), new("oidc_client_id"), new("oidc_client_secret", Kind.Secret),
            new("oidc_scope", Example: "openid,profile,email"), new("oidc_user_claim", Example: "preferred_username"), new("oidc_groups_claim", Example: "groups"), new("oidc_group_filter"), new("oidc_admin_group"),
            new("oidc_auto_onboard", Kind.Flag), new("oidc_logout", Kind.Flag), new("oidc_verify_cert", Kind.Flag),
        ]),
    ];

    /// <summary>Reads them; null when the operation is refused.</summary>
    public static async Task<Values?> ReadAsync(UiCall call) =>
        await call.TextAsync("getConfigurations").ConfigureAwait(false) is { } text ? new Values(JsonNode.Parse(text)!.AsObject()) : null;

    /// <summary>Saves the settings of one source; what the configuration file fixes, and a secret that was left empty, stays.</summary>
    public static async Task<UiOutcome> SaveAsync(UiCall call, int index)
    {
        if (await ReadAsync(call).ConfigureAwait(false) is not { } now) return UiOutcome.Refuse(call.Words.NotAllowed, 403);
        var body = new JsonObject();
        foreach (var setting in Sources[index].Settings.Where(now.IsEditable))
        {
            var text = call.Field(setting.Name);
            if (setting.Kind == Kind.Flag) body[setting.Name] = text.Length > 0;
            else if (setting.Kind is Kind.Number or Kind.Scope) body[setting.Name] = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : text;
            // What has no value yet may stay without one: the server refuses an empty address, as it cannot be told from a mistake.
            else if (text.Length > 0 || setting.Kind != Kind.Secret && now.TextOf(setting).Length > 0) body[setting.Name] = text;
        }
        return await call.ChangeAsync("updateConfigurations", Page, call.Words.Saved, body: body).ConfigureAwait(false);
    }

    /// <summary>Tries the directory that the form names, with the password in force when none is given.</summary>
    public static async Task<UiOutcome> TestLdapAsync(UiCall call, CancellationToken ct)
    {
        if (await ReadAsync(call).ConfigureAwait(false) is not { } now) return UiOutcome.Refuse(call.Words.NotAllowed, 403);
        var words = new SourceWords(call.Language);
        var body = new JsonObject();
        foreach (var setting in Sources[0].Settings.Where(now.IsEditable))
        {
            var text = call.Field(setting.Name);
            if (setting.Name is "ldap_verify_cert") body[setting.Name] = text.Length > 0;
            else if (setting.Name is "ldap_scope" && long.TryParse(text, CultureInfo.InvariantCulture, out var scope)) body[setting.Name] = scope;
            else if (setting.Name is "ldap_url" or "ldap_search_dn" or "ldap_search_password" or "ldap_base_dn" or "ldap_filter" or "ldap_uid" && text.Length > 0) body[setting.Name] = text;
        }
        var result = await call.AskAsync("pingLdap", body: body).ConfigureAwait(false);
        if (result.Failure is { } failure) return UiOutcome.Refuse(failure.Message, result.Status);
        return result.Value is LdapPingResult { Success: true } ? UiOutcome.Show(new TestResult(words.LdapAnswers)) : UiOutcome.Refuse((result.Value as LdapPingResult)?.Message ?? words.TestFailed);
    }

    /// <summary>Tries the provider that the form names.</summary>
    public static async Task<UiOutcome> TestOidcAsync(UiCall call, CancellationToken ct)
    {
        if (await ReadAsync(call).ConfigureAwait(false) is not { } now) return UiOutcome.Refuse(call.Words.NotAllowed, 403);
        var words = new SourceWords(call.Language);
        var endpoint = Sources[1].Settings[0];
        var url = now.IsEditable(endpoint) ? call.Field(endpoint.Name) : now.TextOf(endpoint);
        var result = await call.AskAsync("pingOIDC", body: new JsonObject { ["url"] = url, ["verify_cert"] = call.IsChecked("oidc_verify_cert") }).ConfigureAwait(false);
        return result.Failure is null ? UiOutcome.Show(new TestResult(words.OidcAnswers)) : UiOutcome.Refuse(words.TestFailed, result.Status);
    }

    /// <summary>The settings as the operation shows them; it leaves secrets out.</summary>
    internal sealed class Values(JsonObject all)
    {
        /// <summary>Whether it can be changed here: all that the operation does not show are secrets, and the operation decides.</summary>
        public bool IsEditable(Setting setting) => all[setting.Name]?["editable"]?.GetValue<bool>() ?? true;

        /// <summary>Whether a source is in use.</summary>
        public bool IsSet(Source source) => TextOf(source.Settings[0]).Length > 0;

        /// <summary>Its value in force.</summary>
        public string TextOf(Setting setting)
        {
            if (setting.Kind == Kind.Secret || all[setting.Name]?["value"] is not { } value) return "";
            return value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
        }

        /// <summary>What the form shows: what was sent, after a test or a refusal, else what is in force.</summary>
        public string TextOf(UiCall call, Setting setting)
        {
            var isOfSource = call.Form is not null && call.Field(UiEndpoint.ActionField).EndsWith(setting.Name[..setting.Name.IndexOf('_', StringComparison.Ordinal)], StringComparison.Ordinal);
            if (!isOfSource || !IsEditable(setting)) return TextOf(setting);
            return setting.Kind == Kind.Flag ? (call.IsChecked(setting.Name) ? "true" : "false") : call.Field(setting.Name);
        }
    }
}
