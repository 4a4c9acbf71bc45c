using Berth.Scanner.Inventory.Analyzers.Text;

namespace Berth.Scanner.Inventory;

/// <summary>Packages of a lock file as the manifest of its project sees them.</summary>
internal static class ProjectGraph
{
    /// <summary>
    /// Marks what only development needs, and what the project itself asks for. A name that the manifest gives means each of its versions that the lock has; what nobody asks for is not marked.
    /// </summary>
    /// <param name="packages">Packages of the lock.</param>
    /// <param name="needed">Names that the project needs to run.</param>
    /// <param name="development">Names that its development needs.</param>
    /// <param name="spelling">Gives names the one spelling that the two sets have.</param>
    public static List<Package> Judge(IReadOnlyList<Package> packages, HashSet<string> needed, HashSet<string> development, Func<string, string> spelling)
    {
        var byId = packages.GroupBy(Id).ToDictionary(group => group.Key, group => group.First().DependsOn, StringComparer.Ordinal);
        HashSet<string> Reached(HashSet<string> names) => Reachable.From(packages.Where(one => names.Contains(spelling(one.Name))).Select(Id), id => byId.GetValueOrDefault(id) ?? []);
        var (running, developing) = (Reached(needed), Reached(development));
        return
        [
            .. packages.Select(one => one with
            {
                IsDevelopment = one.IsDevelopment || (developing.Contains(Id(one)) && !running.Contains(Id(one))),
                Relationship = needed.Contains(spelling(one.Name)) || development.Contains(spelling(one.Name)) ? PackageRelationship.Direct : PackageRelationship.Indirect,
            }),
        ];
    }

    /// <summary>Name and version, as <see cref="Package.DependsOn"/> has them.</summary>
    public static string Id(Package package) => package.Name + "@" + package.Version;
}
