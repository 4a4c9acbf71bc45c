namespace Berth.Server.Identity.Ldap;

/// <summary>What must hold for the settings of a directory; for the file and for the configuration API alike.</summary>
internal static class LdapRules
{
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Everything that is wrong: the key within <c>identity.ldap</c> and what to do about it. Nothing for settings without an address.</summary>
    public static IEnumerable<(string Key, string Message)?> Check(LdapOptions options)
    {
        if (!options.IsConfigured) yield break;
        if (AddressProblem(options.Url) is { } problem) yield return ("url", problem);
        foreach (var (key, dn) in new[]
        {
            ("searchDn", options.SearchDn), ("baseDn", options.BaseDn), ("groupBaseDn", options.GroupBaseDn), ("groupAdminDn", options.GroupAdminDn),
        })
        {
            // Active Directory takes user@domain for a bind as well.
            var isAccount = key == "searchDn" && (dn.Contains('@', StringComparison.Ordinal) || dn.Contains('\\', StringComparison.Ordinal));
            if (!isAccount && LdapDn.Normalize(dn) is null) yield return (key, $"\"{dn}\" is no distinguished name such as ou=people,dc=example,dc=com");
        }
        foreach (var (key, filter) in new[] { ("filter", options.Filter), ("groupSearchFilter", options.GroupSearchFilter) })
        {
            if (filter.Length > 0 && !LdapFilter.TryParse(filter, out _)) yield return (key, $"\"{filter}\" is no LDAP filter such as (objectClass=person)");
        }
        foreach (var (key, attribute) in new[] { ("uid", options.Uid), ("groupAttributeName", options.GroupAttributeName) })
        {
            if (!LdapFilter.TryParse($"({attribute}=*)", out var parsed) || parsed is not PresentFilter) yield return (key, $"\"{attribute}\" is no name of an attribute");
        }
        if (options.Timeout <= TimeSpan.Zero || options.Timeout > MaxTimeout) yield return ("timeout", "must be more than 0s and at most 1m");
        if (options.CaPath is { Length: > 0 } path && !File.Exists(path) && !Directory.Exists(path)) yield return ("caPath", $"the file or folder {path} does not exist");
    }

    private static string? AddressProblem(string url)
    {
        try
        {
            LdapAddress.ParseAll(url);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }
}
