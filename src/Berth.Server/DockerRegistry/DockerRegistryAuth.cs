using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>Section <c>auth</c>.</summary>
internal static class DockerRegistryAuth
{
    public static void Map(DockerRegistryReader reader)
    {
        var types = reader.Section("auth")?.Entries ?? [];
        var origin = reader.Origin("auth");
        if (types.Count > 1)
        {
            reader.Problems.Add("auth", origin, $"has {string.Join(" and ", types.Select(type => type.Key))}; keep one of them");
            return;
        }
        switch (types.Count == 0 ? "" : types[0].Key.ToLowerInvariant())
        {
            case "" or "none":
                reader.Report.Warn("auth", origin, "there is none, so everybody who can reach this address may pull, push and (if enabled) delete; set auth.htpasswd or auth.token");
                reader.Put("access.mode", "open", origin);
                break;
            case "silly":
                reader.Report.Warn("auth.silly", origin, "checks nothing, so everybody who can reach this address may pull, push and (if enabled) delete; set auth.htpasswd or auth.token");
                reader.Put("access.mode", "open", origin);
                CopyNeeded(reader, "auth.silly.realm", "access.realm");
                CopyNeeded(reader, "auth.silly.service", "access.service");
                break;
            case "htpasswd":
                reader.Put("access.mode", "htpasswd", origin);
                CopyNeeded(reader, "auth.htpasswd.realm", "access.realm");
                CopyNeeded(reader, "auth.htpasswd.path", "access.htpasswdFile");
                break;
            case "token":
                MapToken(reader, origin);
                break;
            default:
                reader.Problems.Add($"auth.{types[0].Key}", types[0].Value.Origin, "is not known; use htpasswd or token");
                break;
        }
    }

    private static void MapToken(DockerRegistryReader reader, ConfigOrigin origin)
    {
        reader.Put("access.mode", "token", origin);
        CopyNeeded(reader, "auth.token.realm", "access.token.realm");
        CopyNeeded(reader, "auth.token.service", "access.token.service");
        CopyNeeded(reader, "auth.token.issuer", "access.token.issuer");
        reader.Copy("auth.token.rootcertbundle", "access.token.rootCertBundle");
        reader.Copy("auth.token.jwks", "access.token.jwks");
        reader.Copy("auth.token.signingalgorithms", "access.token.signingAlgorithms");
        reader.CopySwitch("auth.token.autoredirect", "access.token.autoRedirect");
        if (reader.Text("auth.token.autoredirectpath") is { Length: > 0 })
            reader.Copy("auth.token.autoredirectpath", "access.token.autoRedirectPath");
    }

    private static void CopyNeeded(DockerRegistryReader reader, string key, string target)
    {
        if (reader.Text(key) is { Length: > 0 })
            reader.Copy(key, target);
        else
            reader.Problems.Add(key, reader.Origin(key[..key.LastIndexOf('.')]), "is needed");
    }
}
