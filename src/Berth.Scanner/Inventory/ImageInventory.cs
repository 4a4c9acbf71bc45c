using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory;

/// <summary>What is in an image: its layers' inventories joined in order, as a container would see the files.</summary>
/// <param name="Distribution">The distribution, or null when no release file is there.</param>
/// <param name="Packages">Packages, each with path and the layer that brought its present version.</param>
/// <param name="Problems">Files that could not be read in the layers.</param>
public sealed record ImageInventory(Distribution? Distribution, IReadOnlyList<Package> Packages, IReadOnlyList<FileProblem> Problems)
{
    /// <summary>Release that Alpine's <c>etc/apk/repositories</c> names; empty when it does not.</summary>
    public string RepositoryRelease { get; init; } = "";

    /// <summary>What Red Hat's build system says of a layer, by its diff id; only layers for which something is known.</summary>
    public IReadOnlyDictionary<string, RedHatFacts> Builds { get; init; } = new Dictionary<string, RedHatFacts>();

    /// <summary>Programs that run with the rights of their owner or group.</summary>
    public IReadOnlyList<string> SetUid { get; init; } = [];

    /// <summary>Secrets of all layers, also those in files that a higher layer removes: whoever pulls the image has them.</summary>
    public IReadOnlyList<SecretFinding> Secrets { get; init; } = [];

    /// <summary>Joins layers, the lowest first.</summary>
    public static ImageInventory Join(IEnumerable<LayerInventory> layers, PackageSources sources = PackageSources.All)
    {
        var join = new LayerJoin();
        foreach (var layer in layers) join.Apply(layer);
        return join.Result(sources);
    }

    /// <summary>The packages of a project's directory: what its lock files and manifests pin, and what else is there. A package that is locked and installed stands once, with its lock file.</summary>
    public static ImageInventory OfProject(LayerInventory directory)
    {
        const PackageSources Pinned = PackageSources.Locks | PackageSources.ShippedLocks;
        var join = new LayerJoin();
        join.Apply(directory);
        var locked = join.Result(Pinned).Packages;
        var known = locked.Select(static package => (package.Type, package.Name, package.Version)).ToHashSet();
        var other = join.Result(PackageSources.All & ~Pinned);
        return other with { Packages = [.. locked, .. other.Packages.Where(package => !known.Contains((package.Type, package.Name, package.Version)))] };
    }
}

/// <summary>What Red Hat's build system leaves in an image.</summary>
/// <param name="ContentSets">Content sets that it was built from; null when they are not named.</param>
/// <param name="Nvr">Name, version, release and architecture of the image; empty when they are not named.</param>
public sealed record RedHatFacts(IReadOnlyList<string>? ContentSets, string Nvr);

/// <summary>Which files count for the packages of an image.</summary>
[Flags]
public enum PackageSources
{
    /// <summary>Package databases of the distribution.</summary>
    System = 1,

    /// <summary>Installed language packages and programs.</summary>
    Installed = 2,

    /// <summary>Lock files and manifests.</summary>
    Locks = 4,

    /// <summary>Software bills of materials that lie in the image.</summary>
    Sboms = 8,

    /// <summary>Language packages in files of the distribution's packages: their fixes come with the system package, so that they are left out else.</summary>
    Owned = 16,

    /// <summary>Lock files that often lie beside the program they describe: NuGet's, Cargo's, Julia's.</summary>
    ShippedLocks = 32,

    /// <summary>All files that name packages.</summary>
    All = System | Installed | Locks | ShippedLocks | Sboms,

    /// <summary>All but lock files that in an image often are leftovers of a build: what Trivy reads in images.</summary>
    WithoutLocks = System | Installed | ShippedLocks | Sboms,
}
