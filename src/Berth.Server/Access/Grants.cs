using System.Text.Json;
using Berth.Oci;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Access;

/// <summary>What a token grants, as the <c>access</c> claim writes it (Docker token specification, "Token Implementation").</summary>
internal static class Grants
{
    public const string Repository = "repository";
    public const string Registry = "registry";
    public const string Catalog = "catalog";
    public const string Any = "*";

    /// <summary>The word for an action.</summary>
    public static string WordOf(RepositoryAction action) => action switch
    {
        RepositoryAction.Pull => "pull",
        RepositoryAction.Push => "push",
        RepositoryAction.Delete => "delete",
        _ => throw new ArgumentOutOfRangeException(nameof(action)),
    };

    /// <summary>Whether the grants allow an action on a repository.</summary>
    public static bool Allow(IReadOnlyList<TokenGrant> grants, string repository, RepositoryAction action) =>
        Allow(grants, Repository, repository, WordOf(action));

    /// <summary>Whether the grants allow listing repositories.</summary>
    public static bool AllowCatalog(IReadOnlyList<TokenGrant> grants) => Allow(grants, Registry, Catalog, Any);

    /// <summary>Reads the <c>access</c> claim; false when it is malformed. A token without the claim grants nothing.</summary>
    public static bool TryRead(JsonElement claims, out IReadOnlyList<TokenGrant> grants)
    {
        grants = [];
        if (!claims.TryGetProperty("access", out var access) || access.ValueKind == JsonValueKind.Null) return true;
        if (access.ValueKind != JsonValueKind.Array) return false;
        var list = new List<TokenGrant>(access.GetArrayLength());
        foreach (var entry in access.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object) return false;
            if (Jwt.TextOf(entry, "type") is not { } type || Jwt.TextOf(entry, "name") is not { } name) return false;
            if (!TryReadActions(entry, out var actions)) return false;
            list.Add(new TokenGrant(ResourceScope.WithoutClass(type), name, actions));
        }
        grants = list;
        return true;
    }

    /// <summary>Writes the <c>access</c> claim.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<TokenGrant> grants)
    {
        json.WriteStartArray("access");
        foreach (var grant in grants)
        {
            json.WriteStartObject();
            json.WriteString("type", grant.Type);
            json.WriteString("name", grant.Name);
            json.WriteStartArray("actions");
            foreach (var action in grant.Actions) json.WriteStringValue(action);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>
    /// What is left of wanted actions under the rights of a caller; the order is kept, resources with nothing left are dropped.
    /// </summary>
    /// <param name="wanted">The wish, by a scope or by an older token.</param>
    /// <param name="may">Rights on a repository.</param>
    /// <param name="mayList">Right to list repositories.</param>
    /// <param name="isAdmin">Whether <c>*</c> may stay a wildcard; for others it means the actions they may do.</param>
    public static IReadOnlyList<TokenGrant> Intersect(
        IEnumerable<TokenGrant> wanted, Func<string, RepositoryAction, bool> may, bool mayList, bool isAdmin)
    {
        var granted = new List<TokenGrant>();
        foreach (var grant in wanted)
        {
            var actions = grant.Type switch
            {
                Repository when RepositoryName.IsValid(grant.Name) => RepositoryActions(grant, may, isAdmin),
                Registry when grant.Name == Catalog && mayList && grant.Actions.Contains(Any) => [Any],
                _ => [],
            };
            if (actions.Count > 0) granted.Add(grant with { Actions = actions });
        }
        return granted;
    }

    private static IReadOnlyList<string> RepositoryActions(TokenGrant grant, Func<string, RepositoryAction, bool> may, bool isAdmin)
    {
        var isAny = grant.Actions.Contains(Any);
        if (isAny && isAdmin) return [Any];
        return Enum.GetValues<RepositoryAction>()
            .Where(a => (isAny || grant.Actions.Contains(WordOf(a))) && may(grant.Name, a))
            .Select(WordOf)
            .ToList();
    }

    private static bool Allow(IReadOnlyList<TokenGrant> grants, string type, string name, string action)
    {
        // By index: this runs on every request, and enumerating a list through its interface allocates.
        for (var i = 0; i < grants.Count; i++)
        {
            var grant = grants[i];
            if (grant.Type != type || grant.Name != name) continue;
            for (var j = 0; j < grant.Actions.Count; j++)
            {
                if (grant.Actions[j] == action || grant.Actions[j] == Any) return true;
            }
        }
        return false;
    }

    private static bool TryReadActions(JsonElement entry, out IReadOnlyList<string> actions)
    {
        actions = [];
        if (!entry.TryGetProperty("actions", out var list) || list.ValueKind == JsonValueKind.Null) return true;
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(a => a.ValueKind != JsonValueKind.String)) return false;
        actions = list.EnumerateArray().Select(a => a.GetString()!).ToList();
        return true;
    }
}
