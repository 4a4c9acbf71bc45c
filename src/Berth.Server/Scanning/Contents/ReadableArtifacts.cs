using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Scanning.Contents;

/// <summary>Artifacts that a call names, when its caller may read them.</summary>
internal sealed class ReadableArtifacts(Database database, ArtifactTargets targets)
{
    /// <summary>Path of an artifact in addresses.</summary>
    public const string Path = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}";

    /// <summary>The artifact of the call's path; else the answer.</summary>
    public async Task<(ArtifactRow? Row, ApiResult? Refusal)> FindAsync(ApiCall call, CancellationToken ct)
    {
        var (name, reference) = (RepositoryPath.NameOf(call), call.Route("reference"));
        if (!await targets.MayReadAsync(call, call.Project!, name, ct).ConfigureAwait(false)) return (null, call.Refuse());
        var (repository, row) = await database.ReadAsync((name, reference), static (session, q, token) => ArtifactRows.FindAsync(session, q.name, q.reference, token), ct).ConfigureAwait(false);
        return row is null ? (null, ArtifactApi.NotFound(repository, name, reference)) : (row, null);
    }

    /// <summary>The artifact of a name <c>project/repository:tag</c> or <c>project/repository@digest</c>; else the answer, which does not tell what is hidden from what is not there.</summary>
    public async Task<(ArtifactRow? Row, ApiResult? Refusal)> FindAsync(ApiCall call, string text, CancellationToken ct)
    {
        if (!TrySplit(text, out var name, out var reference)) return (null, ApiResult.BadRequest($"\"{text}\" names no artifact: project/repository:tag or project/repository@digest"));
        var missing = call.Caller.IsAnonymous ? call.Refuse() : ApiResult.NotFound($"artifact {text} not found");
        if (!await MayReadAsync(call, name, ct).ConfigureAwait(false)) return (null, missing);
        var (_, row) = await database.ReadAsync((name, reference), static (session, q, token) => ArtifactRows.FindAsync(session, q.name, q.reference, token), ct).ConfigureAwait(false);
        return row is null ? (null, missing) : (row, null);
    }

    /// <summary>Whether the caller may read what is in a repository.</summary>
    public async Task<bool> MayReadAsync(ApiCall call, string repository, CancellationToken ct) =>
        await call.FindProjectAsync(ProjectName.Of(repository), ct).ConfigureAwait(false) is { } project
        && await call.MayAsync(project, ProjectPermissions.ArtifactAdditionRead, ct).ConfigureAwait(false)
        && await targets.MayReadAsync(call, project, repository, ct).ConfigureAwait(false);

    internal static bool TrySplit(string text, out string repository, out string reference)
    {
        (repository, reference) = ("", "");
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 && text.LastIndexOf(':') is var colon && colon > text.LastIndexOf('/')) at = colon;
        if (at <= 0 || at == text.Length - 1 || !text.AsSpan(0, at).Contains('/')) return false;
        (repository, reference) = (text[..at], text[(at + 1)..]);
        return true;
    }
}
