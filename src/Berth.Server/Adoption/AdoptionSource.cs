using Berth.Blobs.FileSystem;
using Berth.Blobs.Objects;
using Berth.Server.Platform.Data;

namespace Berth.Server.Adoption;

/// <summary>A Docker Registry's content that can be adopted, with the mark and the report that belong to it.</summary>
public sealed class AdoptionSource : IDisposable
{
    private AdoptionSource(IRegistryTree tree, IAdoptionMark mark, string reportFile) => (Tree, Mark, ReportFile) = (tree, mark, reportFile);

    /// <summary>Where it is, for people.</summary>
    public string Name => Tree.Name;

    /// <summary>File that the first start leaves its report in.</summary>
    public string ReportFile { get; }

    internal IRegistryTree Tree { get; }

    internal IAdoptionMark Mark { get; }

    /// <summary>A folder.</summary>
    /// <param name="root">Storage root: the folder that <c>docker/</c> lies in (Docker Registry's <c>rootdirectory</c>).</param>
    public static AdoptionSource InFolder(string root)
    {
        var paths = new ContentPaths(root);
        return new AdoptionSource(new RegistryFolder(paths), new AdoptionMark(paths), Path.Join(paths.Root, "berth/adoption-report.json"));
    }

    /// <summary>A bucket or container, into which nothing is written.</summary>
    /// <param name="objects">What is there; this takes ownership.</param>
    /// <param name="name">The bucket, for people.</param>
    /// <param name="database">Keeps the mark.</param>
    /// <param name="dataFolder">Takes the report.</param>
    /// <param name="readsLinks">Read every link, also where the list says all of it.</param>
    public static AdoptionSource InBucket(RegistryObjects objects, string name, Database database, string dataFolder, bool readsLinks) =>
        new(new RegistryBucket(objects, name, readsLinks), new AdoptionFact(database), Path.Join(dataFolder, "adoption-report.json"));

    /// <summary>Whether there is anything of a repository.</summary>
    public ValueTask<bool> HasContentAsync(CancellationToken ct) => Tree.HasContentAsync(ct);

    /// <summary>Whether an adoption was begun and not finished: garbage collection must not run then.</summary>
    public ValueTask<bool> IsUnfinishedAsync(CancellationToken ct) => Mark.IsSetAsync(ct);

    public void Dispose() => Tree.Dispose();
}
