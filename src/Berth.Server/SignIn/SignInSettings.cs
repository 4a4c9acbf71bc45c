using System.Text.Json;
using Berth.Server.Identity;
using Berth.Server.Identity.Ldap;
using Berth.Server.Identity.Oidc;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.Logging;

namespace Berth.Server.SignIn;

/// <summary>
/// Which directory and providers are in force: those of the configuration file; and, by Harbor's <c>auth_mode</c>, the directory or the provider that an
/// administrator has set while the server runs. A directory of the file leaves no room for another.
/// </summary>
internal sealed class SignInSettings(RuntimeSettings settings, IdentityOptions file, LdapSource ldap, OidcProviders oidc, ILogger<SignInSettings> log)
{
    private static readonly RuntimeSetting[] s_read =
        [.. RuntimeSettingTable.All.Where(s => s == RuntimeSettingTable.AuthMode || s.Name.StartsWith("ldap_", StringComparison.Ordinal) || s.Name.StartsWith("oidc_", StringComparison.Ordinal))];

    private readonly Lock _lock = new();
    private SettingValues? _applied;

    /// <summary>Follows changes of the settings; costs nothing when there are none. To be called before the directory or the providers are used.</summary>
    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        if (ReferenceEquals(values, Volatile.Read(ref _applied))) return;
        lock (_lock)
        {
            if (ReferenceEquals(values, _applied)) return;
            // Directory and providers hold connections and keys: a change of anything else leaves them as they are.
            if (_applied is { } before && s_read.All(s => before.TextOf(s) == values.TextOf(s)))
            {
                Volatile.Write(ref _applied, values);
                return;
            }
            Apply("LDAP directory", () => ldap.Replace(LdapOf(values)));
            Apply("OpenID provider", () => oidc.Replace(OidcOf(values)));
            Volatile.Write(ref _applied, values);
        }
    }

    private LdapOptions LdapOf(SettingValues values)
    {
        if (file.Ldap.IsConfigured || values.Of(RuntimeSettingTable.AuthMode) != "ldap_auth") return file.Ldap;
        return file.Ldap with
        {
            Url = values.Of(RuntimeSettingTable.LdapUrl),
            SearchDn = values.Of(RuntimeSettingTable.LdapSearchDn),
            SearchPassword = values.Of(RuntimeSettingTable.LdapSearchPassword),
            BaseDn = values.Of(RuntimeSettingTable.LdapBaseDn),
            Filter = values.Of(RuntimeSettingTable.LdapFilter),
            Uid = values.Of(RuntimeSettingTable.LdapUid),
            Scope = (LdapScope)values.Of(RuntimeSettingTable.LdapScope),
            Timeout = TimeSpan.FromSeconds(Math.Clamp(values.Of(RuntimeSettingTable.LdapTimeout), 1, 60)),
            VerifyCert = values.Of(RuntimeSettingTable.LdapVerifyCert),
            GroupBaseDn = values.Of(RuntimeSettingTable.LdapGroupBaseDn),
            GroupSearchFilter = values.Of(RuntimeSettingTable.LdapGroupSearchFilter),
            GroupAttributeName = values.Of(RuntimeSettingTable.LdapGroupAttributeName) is { Length: > 0 } name ? name : file.Ldap.GroupAttributeName,
            GroupSearchScope = (LdapScope)values.Of(RuntimeSettingTable.LdapGroupSearchScope),
            GroupAdminDn = values.Of(RuntimeSettingTable.LdapGroupAdminDn),
            GroupMembershipAttribute = values.Of(RuntimeSettingTable.LdapGroupMembershipAttribute),
            GroupAttachParallel = values.Of(RuntimeSettingTable.LdapGroupAttachParallel),
        };
    }

    private IReadOnlyList<OidcOptions> OidcOf(SettingValues values)
    {
        if (values.Of(RuntimeSettingTable.AuthMode) != "oidc_auth" || values.Of(RuntimeSettingTable.OidcEndpoint) is not { Length: > 0 } issuer) return file.Oidc;
        var name = NameOf(values.Of(RuntimeSettingTable.OidcName));
        var provider = new OidcOptions
        {
            Name = file.Oidc.Any(p => p.Name == name) ? name + "-harbor" : name,
            Issuer = issuer,
            ClientId = values.Of(RuntimeSettingTable.OidcClientId),
            ClientSecret = values.Of(RuntimeSettingTable.OidcClientSecret),
            Scopes = values.Of(RuntimeSettingTable.OidcScope).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            UserClaim = values.Of(RuntimeSettingTable.OidcUserClaim),
            GroupsClaim = values.Of(RuntimeSettingTable.OidcGroupsClaim),
            AdminGroup = values.Of(RuntimeSettingTable.OidcAdminGroup),
            GroupFilter = values.Of(RuntimeSettingTable.OidcGroupFilter),
            AutoOnboard = values.Of(RuntimeSettingTable.OidcAutoOnboard),
            VerifyCertificate = values.Of(RuntimeSettingTable.OidcVerifyCert),
            ExtraRedirectParameters = JsonSerializer.Deserialize(values.Of(RuntimeSettingTable.OidcExtraRedirectParms), SignInJson.Default.DictionaryStringString) ?? [],
            Logout = values.Of(RuntimeSettingTable.OidcLogout),
        };
        IReadOnlyList<OidcOptions> all = [.. file.Oidc, provider];
        var problems = OidcRules.Check(all).ToList();
        return problems.Count == 0 ? all : throw new FormatException(string.Join("; ", problems.Select(p => $"{p.Key}: {p.Message}")));
    }

    // Harbor's name is for people; ours stands in addresses and with the users.
    private static string NameOf(string text)
    {
        var name = new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-').Take(48)]).Trim('-');
        return name.Length > 0 ? name : "oidc";
    }

    // What is wrong leaves what was in force.
    private void Apply(string what, Action replace)
    {
        try
        {
            replace();
        }
        catch (Exception e) when (e is FormatException or JsonException or IOException or InvalidDataException)
        {
            log.SettingsWrong(what, e.Message);
        }
    }
}

internal static partial class SignInSettingsLog
{
    [LoggerMessage(2130, LogLevel.Error, "settings of the {What} cannot be used, the ones before stay in force: {Reason}")]
    public static partial void SettingsWrong(this ILogger logger, string what, string reason);
}
