using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Berth.Analyzers;

/// <summary>
/// The names that the source of each feature declares. A name in the code that no forbidden feature declares cannot refer to one, so the
/// compiler need not be asked what it means: that is most of the cost of <see cref="DependencyRule"/>.
/// </summary>
internal sealed class FeatureNames(Compilation compilation, FeatureMap map)
{
    private const string Attribute = "Attribute";

    private readonly ConcurrentDictionary<string, HashSet<string>> suspects = new(StringComparer.Ordinal);
    private readonly Lazy<Dictionary<string, HashSet<string>>> declared = new(() => Declared(compilation));

    /// <summary>The names that may refer to what <paramref name="from"/> may not use.</summary>
    public HashSet<string> SuspectsOf(string from) => suspects.GetOrAdd(from, _ =>
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var feature in declared.Value)
        {
            if (feature.Key.Length == 0 || !map.Knows(feature.Key) || !map.Allows(from, feature.Key))
            {
                names.UnionWith(feature.Value);
            }
        }

        return names;
    });

    /// <summary>Names by feature; under the empty name the aliases, which hide what they stand for.</summary>
    private static Dictionary<string, HashSet<string>> Declared(Compilation compilation)
    {
        var all = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal)
        {
            [""] = new HashSet<string>(
                compilation.SyntaxTrees.SelectMany(tree => ((CompilationUnitSyntax)tree.GetRoot()).Usings)
                    .Where(directive => directive.Alias is not null).Select(directive => directive.Alias!.Name.Identifier.ValueText),
                StringComparer.Ordinal),
        };
        INamespaceSymbol? root = compilation.Assembly.GlobalNamespace;
        foreach (var part in FeatureMap.Composition.Split('.'))
        {
            root = root?.GetNamespaceMembers().FirstOrDefault(space => space.Name == part);
        }

        if (root is null)
        {
            return all;
        }

        all[FeatureMap.Composition] = Names(root.GetTypeMembers());
        foreach (var feature in root.GetNamespaceMembers())
        {
            all[feature.Name] = Names([feature]);
        }

        return all;
    }

    private static HashSet<string> Names(IEnumerable<INamespaceOrTypeSymbol> symbols)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<INamespaceOrTypeSymbol>(symbols);
        while (open.Count > 0)
        {
            var symbol = open.Pop();
            names.Add(symbol.Name);
            if (symbol.Name.EndsWith(Attribute, StringComparison.Ordinal))
            {
                names.Add(symbol.Name.Substring(0, symbol.Name.Length - Attribute.Length));
            }

            foreach (var member in symbol.GetMembers())
            {
                names.Add(member.Name);
                if (member is INamespaceOrTypeSymbol inner)
                {
                    open.Push(inner);
                }
            }
        }

        return names;
    }
}
