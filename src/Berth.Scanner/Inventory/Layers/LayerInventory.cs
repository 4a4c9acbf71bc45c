using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>
/// What one layer says about packages, independent of the layers around it: written once for a diff id and kept. <see cref="ImageInventory"/> joins the layers of an
/// image.
/// </summary>
public sealed record LayerInventory
{
    /// <summary>Counts up whenever an analyzer finds more or something else than before: a stored inventory of another number is read again from its layer.</summary>
    public const int CurrentFormat = 4;

    /// <summary>Number of the form and of the analyzers that wrote it.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Digest of the uncompressed layer (<c>sha256:…</c>), computed while reading: never what an image claims.</summary>
    public string DiffId { get; init; } = "";

    /// <summary>Uncompressed size in bytes.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Entries of the archive.</summary>
    public int Entries { get; init; }

    /// <summary>Files that an analyzer read, also those that name no package: they replace the file of a lower layer.</summary>
    public IReadOnlyList<FileInventory> Files { get; init; } = [];

    /// <summary>Paths that a whiteout removes from lower layers, with everything below them.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    /// <summary>Directories that hide everything of lower layers below them; empty text is the root.</summary>
    public IReadOnlyList<string> OpaqueDirectories { get; init; } = [];

    /// <summary>Paths that are a link, a script or another kind of file now: what a lower layer had at or below them is gone.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>Directories with the name of a file that analyzers read: a lower layer's file of that name is gone, what it has below stays.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>Hard links to files that this layer does not have: those of a lower one get another name.</summary>
    public IReadOnlyList<LayerLink> Links { get; init; } = [];

    /// <summary>Files that packages of the distribution own, as far as an analyzer could find language packages in them.</summary>
    public IReadOnlyList<OwnedFiles> Owned { get; init; } = [];

    /// <summary>Programs that run with the rights of their owner or group (setuid, setgid).</summary>
    public IReadOnlyList<string> SetUid { get; init; } = [];

    /// <summary>Which rules looked for secrets (<see cref="SecretScanner.Id"/>); empty when none did.</summary>
    public string SecretRules { get; init; } = "";

    /// <summary>Secrets that were found.</summary>
    public IReadOnlyList<SecretFinding> Secrets { get; init; } = [];

    /// <summary>Files that could not be read, with the reason.</summary>
    public IReadOnlyList<FileProblem> Problems { get; init; } = [];
}

/// <summary>Another name of a file.</summary>
/// <param name="Path">The new name.</param>
/// <param name="Target">The name it had.</param>
public sealed record LayerLink(string Path, string Target);

/// <summary>What one analyzer found in one file.</summary>
/// <param name="Path">Path in the image without a leading slash.</param>
/// <param name="Analyzer">Name of the analyzer.</param>
/// <param name="Role">What kind of file it is.</param>
public sealed record FileInventory(string Path, string Analyzer, FileRole Role)
{
    /// <summary>Packages that the file names.</summary>
    public IReadOnlyList<Package> Packages { get; init; } = [];

    /// <summary>Fields of a release file, or facts of other files, by name.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>Licences that a licence file names, for the package <see cref="Subject"/>.</summary>
    public IReadOnlyList<string> Licenses { get; init; } = [];

    /// <summary>Package that a licence file speaks of.</summary>
    public string Subject { get; init; } = "";

    /// <summary>Packages of a system database that do not come from the distribution: language packages in their files count.</summary>
    public IReadOnlyList<string> ThirdParty { get; init; } = [];
}

/// <summary>What a file that an analyzer reads is.</summary>
public enum FileRole
{
    /// <summary>Package database of the distribution.</summary>
    SystemDatabase,

    /// <summary>Installed package or program.</summary>
    Installed,

    /// <summary>Lock file or manifest: says what a project would install.</summary>
    Lock,

    /// <summary>Names the distribution.</summary>
    Release,

    /// <summary>Licence text of a system package.</summary>
    License,

    /// <summary>Files of a system package.</summary>
    Ownership,

    /// <summary>Software bill of materials that lies in the image.</summary>
    Sbom,

    /// <summary>What a project asks for: names no packages, but says which of its lock file only development needs.</summary>
    Manifest,

    /// <summary>Lock file or list of packages that often lies beside the program it describes, so that it counts in images too.</summary>
    ShippedLock,
}

/// <summary>Files of a system package that may hold language packages.</summary>
/// <param name="Package">Name, for dpkg with <c>:architecture</c> where its file has it; empty when the database itself says that the distribution made it.</param>
/// <param name="Paths">Paths without a leading slash.</param>
public sealed record OwnedFiles(string Package, IReadOnlyList<string> Paths);

/// <summary>A file that was passed over.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Reason">Why, for the operator.</param>
public sealed record FileProblem(string Path, string Reason);
