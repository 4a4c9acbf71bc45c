using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers;

/// <summary>Reads one format. Content is untrusted: an analyzer throws on what it cannot read, and then nothing of the file is reported.</summary>
/// <param name="Name">Name, stored with what it found; never changed once released.</param>
/// <param name="Role">What its files are.</param>
/// <param name="Wants">Whether it reads the file of a path (no leading slash).</param>
/// <param name="Analyze">Reads the content and reports.</param>
/// <param name="MaxBytes">Largest file that it reads.</param>
public sealed record FileAnalyzer(string Name, FileRole Role, Func<string, bool> Wants, Action<FileContent, FileReport> Analyze, long MaxBytes = FileAnalyzer.TextBytes)
{
    /// <summary>Limit of files that are parsed as a whole.</summary>
    public const int TextBytes = 24 << 20;
}

/// <summary>Takes what an analyzer finds in one file.</summary>
public sealed class FileReport(string path, LayerLimits limits, CancellationToken ct)
{
    private const int MaxPackages = 200_000;
    private const int MaxNamesChars = 64 << 10;

    private readonly List<Package> packages = [];
    private readonly Dictionary<(string Name, string Version), int> places = [];
    private readonly List<FileProblem> skipped = [];
    private readonly Dictionary<string, string> facts = new(StringComparer.Ordinal);
    private readonly List<(string Package, IReadOnlyList<string> Paths)> owned = [];

    /// <summary>Path of the file.</summary>
    public string Path => path;

    /// <summary>Limits of the layer.</summary>
    public LayerLimits Limits => limits;

    /// <summary>Licences of <see cref="Subject"/>.</summary>
    public IReadOnlyList<string> Licenses { get; set; } = [];

    /// <summary>Package of a licence file.</summary>
    public string Subject { get; set; } = "";

    /// <summary>Names of packages that are not the distribution's.</summary>
    public List<string> ThirdParty { get; } = [];

    /// <summary>Ends the work when the scan is cancelled.</summary>
    public CancellationToken Cancelled => ct;

    /// <summary>Packages found so far.</summary>
    public IReadOnlyList<Package> Packages => packages;

    /// <summary>Files of system packages found so far.</summary>
    public IReadOnlyList<(string Package, IReadOnlyList<string> Paths)> Owned => owned;

    /// <summary>Reports a package. One without a name is passed over; one without a path gets the file's.</summary>
    public void Add(Package package)
    {
        ct.ThrowIfCancellationRequested();
        if (package.Name.Length is 0 or > 1024 || package.Version.Length > 1024) return;
        if (packages.Count == MaxPackages) throw new InvalidDataException("file names too many packages");
        packages.Add(package.Path.Length == 0 ? package with { Path = path } : package);
    }

    /// <summary>Reports a package only once for a name and version. One that only development needs in a place and the program in another is needed by the program.</summary>
    public void AddOnce(Package package)
    {
        if (places.TryGetValue((package.Name, package.Version), out var place))
        {
            var known = packages[place];
            if (!package.IsDevelopment) known = known with { IsDevelopment = false };
            if (package.Relationship == PackageRelationship.Direct && known.Relationship != PackageRelationship.Root) known = known with { Relationship = PackageRelationship.Direct };
            packages[place] = known;
            return;
        }
        var count = packages.Count;
        Add(package);
        if (packages.Count > count) places.Add((package.Name, package.Version), count);
    }

    /// <summary>Notes that a part of the file was passed over.</summary>
    public void Skip(string part, string reason)
    {
        if (skipped.Count < 1000) skipped.Add(new FileProblem(part, reason));
    }

    /// <summary>Parts that were passed over.</summary>
    public IReadOnlyList<FileProblem> Skipped => skipped;

    /// <summary>Reports a fact.</summary>
    public void Fact(string name, string value) => facts[name] = value.Length > 4096 ? value[..4096] : value;

    /// <summary>Reports a list of names as a fact, one a line; false, and no fact, when they are too many to keep.</summary>
    public bool Names(string name, IReadOnlyCollection<string> names)
    {
        if (names.Sum(one => one.Length + 1L) > MaxNamesChars || names.Any(one => one.Contains('\n'))) return false;
        facts[name] = string.Join('\n', names);
        return true;
    }

    /// <summary>Reports files that a system package owns.</summary>
    public void Own(string package, IReadOnlyList<string> paths) => owned.Add((package, paths));

    internal FileInventory ToInventory(FileAnalyzer analyzer) => new(path, analyzer.Name, analyzer.Role)
    {
        Packages = packages,
        Facts = facts,
        Licenses = Licenses,
        Subject = Subject,
        ThirdParty = ThirdParty,
    };
}
