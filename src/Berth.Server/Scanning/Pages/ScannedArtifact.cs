using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Artifacts.Pages;
using Berth.Server.Platform.Data;
using Berth.Server.Ui;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Scanning.Pages;

/// <summary>An image as the pages about its contents show it.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="Platform">Where it runs, such as <c>linux/arm64</c>; empty when it does not say.</param>
/// <param name="Scan">Its scan; null when it was never scanned.</param>
public sealed record ScannedImage(long Id, string Digest, string Platform, ScanRow? Scan);

/// <summary>An artifact with its images: itself, or those of an index. It is asked of the API first, which decides who may see it.</summary>
/// <param name="Artifact">The artifact.</param>
/// <param name="Repository">Name of its repository within the project.</param>
/// <param name="Images">Its images.</param>
public sealed record ScannedArtifact(ArtifactJson Artifact, string Repository, IReadOnlyList<ScannedImage> Images)
{
    /// <summary>The scans that there are.</summary>
    public IReadOnlyList<ScanRow> Scans { get; } = [.. Images.Select(static image => image.Scan).OfType<ScanRow>()];

    /// <summary>Harbor's word for where the scan stands; empty when there was none.</summary>
    public string Status => Scans.Count == 0 ? "" : ScanOverviews.StatusOf(Scans, Images.Count);

    /// <summary>Whether some image has a report.</summary>
    public bool HasReport => Scans.Any(static scan => scan.ReportedAt is not null);

    /// <summary>Whether a scan waits or runs.</summary>
    public bool IsUnderWay => Scans.Any(static scan => scan.Status is "Pending" or "Running");

    /// <summary>Name of an image's platform, or the beginning of its digest.</summary>
    public string NameOf(string digest) => Images.FirstOrDefault(image => image.Digest == digest) is { Platform.Length: > 0 } image ? image.Platform : ArtifactPaths.Short(digest);

    /// <summary>The artifact of a page's path; null when the page cannot be shown.</summary>
    public static async Task<ScannedArtifact?> ReadAsync(UiCall call, string title)
    {
        var (repository, reference) = (call.Route("repository"), call.Route("reference"));
        var shown = reference.Contains(':', StringComparison.Ordinal) ? ArtifactPaths.Short(reference) : reference;
        call.Title = $"{title} · {call.Project!.Name}/{repository}:{shown}";
        call.Crumbs =
        [
            (call.Words.Projects, call.Link("/projects")), (call.Project.Name, call.Link("/projects/" + Uri.EscapeDataString(call.Project.Name))),
            (repository, call.Link(ArtifactPaths.Repository(call.Project.Name, repository))),
        ];
        if (await call.NeedAsync<ArtifactJson>("getArtifact", [("repository_name", repository), ("reference", reference)], [("with_tag", "true")]).ConfigureAwait(true) is not { } artifact) return null;
        // The API shows what there is of a repository that rules close; what is inside takes the right to pull.
        var services = call.Http.RequestServices;
        if (!await new VisibleImages(services.GetRequiredService<ApiRights>(), call.Caller).MayAsync(call.Project.Id, artifact.RepositoryName, call.Http.RequestAborted).ConfigureAwait(true))
        {
            call.Failure = (403, "");
            return null;
        }
        var platforms = (artifact.References ?? []).GroupBy(static r => r.ChildDigest).ToDictionary(static g => g.Key, static g => ArtifactPaths.PlatformOf(g.First().Platform), StringComparer.Ordinal);
        var images = await services.GetRequiredService<Database>().ReadAsync(artifact.Id, static async (session, id, token) =>
        {
            var ids = (await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false)).ConvertAll(static image => image.Id);
            var rows = await ArtifactRows.ReadAsync(session, ids, token).ConfigureAwait(false);
            return (Rows: rows, Scans: await ScanRow.ReadAsync(session, ids, token).ConfigureAwait(false));
        }, call.Http.RequestAborted).ConfigureAwait(true);
        return new ScannedArtifact(artifact, repository, [.. images.Rows.Select(row => new ScannedImage(row.Id, row.Digest, platforms.GetValueOrDefault(row.Digest, ""), images.Scans.GetValueOrDefault(row.Id)))]);
    }

    /// <summary>The images that a page is about: the one that its address names, else all.</summary>
    public IReadOnlyList<ScannedImage> Chosen(UiCall call) => call.Query("image") is { Length: > 0 } digest && Images.FirstOrDefault(image => image.Digest == digest) is { } one ? [one] : Images;
}
