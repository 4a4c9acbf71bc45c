using System.Globalization;
using System.Text;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>
/// Documents of exceptions of the installation, of projects and of repositories: bring, list, read, delete. To bring and delete takes the right to change the project, to read them that to
/// see its configuration; who may see findings sees why some do not count (<see cref="MarkedFindingsApi"/>).
/// </summary>
internal sealed class ExceptionsApi(Database database, DomainEvents events, TimeProvider time)
{
    private const string OfSystem = "/exceptions";
    private const string OfProject = "/projects/{project_name_or_id}/exceptions";
    private const string Tag = "exceptions";
    private const int MaxDocuments = 100;
    private const long MaxTotalBytes = 4 << 20;
    private const int MaxName = 255;
    private const int MaxNote = 2000;

    public static IEnumerable<ApiOperation> Operations(ExceptionsApi api)
    {
        foreach (var (path, words, read, write) in ((string, string, ApiNeed, ApiNeed)[])
            [
                (OfSystem, "System", ApiNeed.SignedIn, ApiNeed.Admin),
                (OfProject, "Project", ApiNeed.Project(ProjectPermissions.ConfigurationRead), ApiNeed.Project(ProjectPermissions.ProjectUpdate)),
            ])
        {
            List<ApiOperation> operations =
            [
                new(HttpMethods.Get, path, $"list{words}Exceptions", Tag, read, api.ListAsync)
                {
                    Surface = ApiSurface.Berth, Summary = "The documents that say which findings do not count.", Answer = typeof(ExceptionDocumentJson), IsList = true,
                    Query = path == OfProject ? ["repository"] : [],
                },
                new(HttpMethods.Post, path, $"create{words}Exception", Tag, write, api.CreateAsync)
                {
                    Surface = ApiSurface.Berth, Summary = "Brings a document that says which findings do not count: OpenVEX, CycloneDX VEX or Trivy's ignore files.", Body = typeof(NewExceptionJson),
                    Answer = typeof(ExceptionDocumentJson),
                },
                new(HttpMethods.Get, path + "/{exception_id}", $"get{words}Exception", Tag, read, api.GetAsync)
                {
                    Surface = ApiSurface.Berth, Summary = "A document with its content.", Answer = typeof(ExceptionDocumentJson),
                },
                new(HttpMethods.Delete, path + "/{exception_id}", $"delete{words}Exception", Tag, write, api.DeleteAsync)
                {
                    Surface = ApiSurface.Berth, Summary = "Deletes a document: what it excepted counts again.",
                },
            ];
            foreach (var operation in operations) yield return operation;
        }
    }

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        if (!call.TryReadPage(out var page, out var refusal)) return refusal!;
        var owner = new Owner(call.Project?.Id, call.Project?.Name);
        var repository = call.Query("repository");
        var all = await database.ReadAsync((owner, Now), static (session, q, token) => ReadAsync(session, q.owner, null, q.Now, token), ct).ConfigureAwait(false);
        if (repository.Length > 0) all = [.. all.Where(one => one.Repository == repository)];
        return ApiResult.List([.. all.Skip((int)Math.Min(int.MaxValue, (page.Number - 1) * page.Size)).Take(page.Size)], all.Count, ExceptionJson.Default.ListExceptionDocumentJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (owner, id) = (new Owner(call.Project?.Id, call.Project?.Name), call.RouteNumber("exception_id") ?? 0);
        var found = await database.ReadAsync((owner, id, Now), static (session, q, token) => ReadAsync(session, q.owner, q.id, q.Now, token), ct).ConfigureAwait(false);
        return found.Count == 0 ? NotFound(call) : ApiResult.Ok(found[0], ExceptionJson.Default.ExceptionDocumentJson);
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ExceptionJson.Default.NewExceptionJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (ProblemOf(call, body) is { } problem) return ApiResult.BadRequest(problem);
        var (kind, content) = (ExceptionDocuments.KindOf(body.Kind)!.Value, Encoding.UTF8.GetBytes(body.Content!));
        ExceptionDocument document;
        try
        {
            document = ExceptionDocuments.Check(kind, body.Name!, content);
        }
        catch (FormatException e)
        {
            return ApiResult.BadRequest($"{body.Name}: {e.Message}");
        }
        var project = call.Project;
        var name = body.Repository is { Length: > 0 } repository ? $"{project!.Name}/{repository}" : null;
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            long? repositoryId = name is null ? null : await session.ScalarAsync(SelectRepository, [name, project!.Id], token).ConfigureAwait(false);
            if (name is not null && repositoryId is null) return ApiResult.NotFound($"repository {name} not found");
            var owner = new Owner(project?.Id, project?.Name);
            var (count, bytes) = await UsageAsync(session, owner, token).ConfigureAwait(false);
            if (count >= MaxDocuments) return ApiResult.Conflict($"there are {count} documents, up to {MaxDocuments} are kept: delete those that are not needed");
            if (bytes + content.Length > MaxTotalBytes) return ApiResult.Conflict($"the documents have {bytes} bytes, up to {MaxTotalBytes} are kept: delete those that are not needed");
            var id = await session.ScalarAsync(Insert,
                [
                    repositoryId is null ? project?.Id : null, repositoryId, (int)kind, body.Name, body.Note ?? "", content, document.Entries, body.ExpiresAt?.ToUnixTimeMilliseconds(), Cut(call.Actor.Name), Now,
                ], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Exceptions, "", token).ConfigureAwait(false);
            var until = body.ExpiresAt is { } end ? $" until {ApiTime.Text(end.ToUnixTimeMilliseconds())}" : "";
            await events.RaiseAsync(session, EventOf(call, "create", name, $"exceptions {body.Name} ({body.Kind}, {document.Entries} entries){until}: {body.Note}"), token).ConfigureAwait(false);
            var made = await ReadAsync(session, owner, id, Now, token).ConfigureAwait(false);
            return ApiResult.Created($"{call.Http.Request.Path}/{id!.Value.ToString(CultureInfo.InvariantCulture)}", made[0] with { Content = null }, ExceptionJson.Default.ExceptionDocumentJson);
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var (owner, id) = (new Owner(call.Project?.Id, call.Project?.Name), call.RouteNumber("exception_id") ?? 0);
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ReadAsync(session, owner, id, Now, token).ConfigureAwait(false) is not [var found]) return NotFound(call);
            await session.ExecuteAsync(Delete, [id], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Exceptions, "", token).ConfigureAwait(false);
            var repository = found.Repository is { } name ? $"{call.Project!.Name}/{name}" : null;
            await events.RaiseAsync(session, EventOf(call, "delete", repository, $"exceptions {found.Name} ({found.Kind}, {found.Entries} entries)"), token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private string? ProblemOf(ApiCall call, NewExceptionJson body)
    {
        if (ExceptionDocuments.KindOf(body.Kind) is null) return "kind must be openvex, cyclonedx, trivyignore or trivyignore-yaml";
        if (body.Name is not { Length: > 0 and <= MaxName } || body.Name.Any(char.IsControl)) return $"name must have 1 to {MaxName} characters";
        if (body.Note is { Length: > MaxNote } || body.Note?.Contains('\0', StringComparison.Ordinal) == true) return $"note may have {MaxNote} characters";
        if (body.ExpiresAt <= time.GetUtcNow()) return "expires_at has passed";
        if (string.IsNullOrEmpty(body.Content)) return "content is missing: the document as text";
        if (call.Project is null && !string.IsNullOrEmpty(body.Repository)) return "repository: only a project's document can be for a repository";
        return null;
    }

    private static DomainEvent EventOf(ApiCall call, string operation, string? repository, string description) => new()
    {
        Operation = operation,
        ResourceType = "scan-exception",
        Resource = repository ?? call.Project?.Name ?? "system",
        ProjectId = call.Project?.Id,
        ProjectName = call.Project?.Name,
        Actor = call.Actor,
        Description = description,
    };

    // All of an owner, or the one of an id with its content.
    private static async ValueTask<List<ExceptionDocumentJson>> ReadAsync(DbSession session, Owner owner, long? id, long now, CancellationToken ct)
    {
        var found = new List<ExceptionDocumentJson>();
        var command = owner.ProjectId is { } project ? session.Command(id is null ? SelectOfProject : SelectOneOfProject, project, id ?? 0) : session.Command(id is null ? SelectOfSystem : SelectOneOfSystem, id ?? 0);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var kind = (ExceptionKind)rows.GetInt32(1);
            if (kind == ExceptionKind.SystemAllowList) continue;
            long? end = rows.IsDBNull(5) ? null : rows.GetInt64(5);
            var repository = rows.IsDBNull(8) ? null : rows.GetString(8);
            found.Add(new ExceptionDocumentJson
            {
                Id = rows.GetInt64(0),
                Scope = repository is not null ? "repository" : owner.ProjectId is null ? "system" : "project",
                Repository = repository?[(owner.ProjectName!.Length + 1)..],
                Kind = ExceptionDocuments.WordOf(kind),
                Name = rows.GetString(2),
                Note = rows.GetString(3),
                Entries = rows.GetInt32(4),
                ExpiresAt = ApiTime.Text(end),
                IsExpired = end <= now,
                CreatedBy = rows.GetString(6),
                CreatedAt = ApiTime.Text(rows.GetInt64(7)),
                Content = id is null ? null : Encoding.UTF8.GetString(rows.GetFieldValue<byte[]>(9)),
            });
        }
        return found;
    }

    private static async ValueTask<(long Count, long Bytes)> UsageAsync(DbSession session, Owner owner, CancellationToken ct)
    {
        var command = owner.ProjectId is { } project ? session.Command(CountOfProject, project) : session.Command(CountOfSystem);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static ApiResult NotFound(ApiCall call) => ApiResult.NotFound($"document {call.Route("exception_id")} not found");

    private static string Cut(string name) => name.Length <= 255 ? name : name[..255];

    private readonly record struct Owner(long? ProjectId, string? ProjectName);

    private const string Columns = "e.id, e.kind, e.name, e.note, e.entries, e.expires_at, e.created_by, e.created_at";

    private static readonly Statement SelectOfSystem = new($"SELECT {Columns}, NULL FROM scan_exceptions e WHERE e.repository_id IS NULL AND e.project_id IS NULL AND @0 = 0 ORDER BY e.id");

    private static readonly Statement SelectOneOfSystem = new($"SELECT {Columns}, NULL, e.content FROM scan_exceptions e WHERE e.id = @0 AND e.repository_id IS NULL AND e.project_id IS NULL");

    private static readonly Statement SelectOfProject = new($"""
        SELECT {Columns}, NULL FROM scan_exceptions e WHERE e.project_id = @0 AND @1 = 0
        UNION ALL SELECT {Columns}, r.name FROM repositories r JOIN scan_exceptions e ON e.repository_id = r.id WHERE r.project_id = @0 ORDER BY 1
        """);

    private static readonly Statement SelectOneOfProject = new($"""
        SELECT {Columns}, NULL, e.content FROM scan_exceptions e WHERE e.id = @1 AND e.project_id = @0
        UNION ALL SELECT {Columns}, r.name, e.content FROM scan_exceptions e JOIN repositories r ON r.id = e.repository_id WHERE e.id = @1 AND r.project_id = @0
        """);

    private static readonly Statement CountOfSystem = new("SELECT count(*), coalesce(sum(length(content)), 0) FROM scan_exceptions WHERE repository_id IS NULL AND project_id IS NULL");

    private static readonly Statement CountOfProject = new("""
        SELECT count(*), coalesce(sum(length(e.content)), 0) FROM scan_exceptions e LEFT JOIN repositories r ON r.id = e.repository_id WHERE e.project_id = @0 OR r.project_id = @0
        """);

    private static readonly Statement SelectRepository = new("SELECT id FROM repositories WHERE name = @0 AND project_id = @1");

    private static readonly Statement Insert = new("""
        INSERT INTO scan_exceptions (project_id, repository_id, kind, name, note, content, entries, expires_at, created_by, created_at) VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9) RETURNING id
        """);

    private static readonly Statement Delete = new("DELETE FROM scan_exceptions WHERE id = @0");
}
