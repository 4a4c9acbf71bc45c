using System.Buffers;
using Berth.Oci;

namespace Berth.Server.Access;

/// <summary>
/// Scopes of the Docker token specification: <c>repository:library/debian:pull,push</c>, <c>registry:catalog:*</c>; several in one
/// text separated by blanks.
/// </summary>
internal static class ResourceScope
{
    private const int MaxScopes = 100;
    private const int MaxTextLength = 16 * 1024;
    private static readonly SearchValues<char> TypeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    /// <summary>
    /// Reads scope parameters; false when one is malformed. Wishes for the same resource are joined, resources of types that are not
    /// known here are left out, and the deprecated class of a type, <c>repository(plugin)</c>, is ignored.
    /// </summary>
    public static bool TryParse(IEnumerable<string?> texts, out IReadOnlyList<TokenGrant> wanted)
    {
        var actions = new Dictionary<(string Type, string Name), List<string>>();
        var order = new List<(string Type, string Name)>();
        wanted = [];
        foreach (var text in texts)
        {
            if (text is null) continue;
            if (text.Length > MaxTextLength) return false;
            foreach (var range in text.AsSpan().Split(' '))
            {
                var scope = text.AsSpan(range);
                if (scope.IsEmpty) continue;
                if (order.Count >= MaxScopes || !TryParseOne(scope, out var grant)) return false;
                if (grant.Type is not (Grants.Repository or Grants.Registry)) continue;
                if (!actions.TryGetValue((grant.Type, grant.Name), out var list))
                {
                    actions.Add((grant.Type, grant.Name), list = []);
                    order.Add((grant.Type, grant.Name));
                }
                list.AddRange(grant.Actions.Where(a => !list.Contains(a)));
            }
        }
        wanted = order.ConvertAll(r => new TokenGrant(r.Type, r.Name, actions[r]));
        return true;
    }

    /// <summary>Writes grants as one scope text.</summary>
    public static string Format(IEnumerable<TokenGrant> grants) =>
        string.Join(' ', grants.Select(g => $"{g.Type}:{g.Name}:{string.Join(',', g.Actions)}"));

    /// <summary>The type without its class: <c>repository</c> of <c>repository(plugin)</c>.</summary>
    public static string WithoutClass(string type)
    {
        var open = type.IndexOf('(', StringComparison.Ordinal);
        return open > 0 && type[^1] == ')' ? type[..open] : type;
    }

    private static bool TryParseOne(ReadOnlySpan<char> scope, out TokenGrant grant)
    {
        grant = null!;
        // The name may hold a colon of its own (a port), so it is what lies between the first and the last.
        var first = scope.IndexOf(':');
        var last = scope.LastIndexOf(':');
        if (first <= 0 || last <= first + 1) return false;
        var type = scope[..first];
        if (!IsType(type)) return false;
        var name = scope[(first + 1)..last];
        var actions = new List<string>();
        foreach (var range in scope[(last + 1)..].Split(','))
        {
            var action = scope[(last + 1)..][range];
            if (!IsAction(action)) return false;
            if (!action.IsEmpty) actions.Add(action.ToString());
        }
        grant = new TokenGrant(WithoutClass(type.ToString()), name.ToString(), actions);
        return grant.Type != Grants.Repository || RepositoryName.IsValid(name);
    }

    private static bool IsType(ReadOnlySpan<char> type)
    {
        var open = type.IndexOf('(');
        if (open < 0) return IsTypeValue(type);
        return type[^1] == ')' && IsTypeValue(type[..open]) && IsTypeValue(type[(open + 1)..^1]);
    }

    private static bool IsTypeValue(ReadOnlySpan<char> value) =>
        !value.IsEmpty && !value.ContainsAnyExcept(TypeCharacters);

    private static bool IsAction(ReadOnlySpan<char> action) => action is "*" || !action.ContainsAnyExceptInRange('a', 'z');
}
