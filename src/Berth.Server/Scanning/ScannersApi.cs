using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Scanning.Adapters;
using Berth.Server.Scanning.Scanners;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>Harbor's operations on scanners: the built-in one, which is always there, and those that administrators have entered; the default, and the choice of a project.</summary>
internal sealed class ScannersApi(Database database, ScannerDirectory scanners, ScannerHttp http, DomainEvents events, TimeProvider time)
{
    private const string All = "/scanners";
    private const string One = All + "/{registration_id}";
    private const string OfProject = "/projects/{project_name_or_id}/scanner";
    private const string Tag = "scanner";

    public static IEnumerable<ApiOperation> Operations(ScannersApi api) =>
    [
        new(HttpMethods.Get, All, "listScanners", Tag, ApiNeed.System(SystemPermissions.ScannerList), api.ListAsync) { Summary = "The scanners.", Answer = typeof(ScannerJson), IsList = true },
        new(HttpMethods.Post, All, "createScanner", Tag, ApiNeed.System(SystemPermissions.ScannerCreate), api.CreateAsync) { Summary = "Enters a scanner.", Body = typeof(ScannerRegistrationJson) },
        new(HttpMethods.Post, All + "/ping", "pingScanner", Tag, ApiNeed.System(SystemPermissions.ScannerRead), api.PingAsync) { Summary = "Tries a scanner that is not entered yet.", Body = typeof(ScannerRegistrationJson) },
        new(HttpMethods.Get, One, "getScanner", Tag, ApiNeed.System(SystemPermissions.ScannerRead), api.GetAsync) { Summary = "A scanner.", Answer = typeof(ScannerJson) },
        new(HttpMethods.Put, One, "updateScanner", Tag, ApiNeed.System(SystemPermissions.ScannerUpdate), api.UpdateAsync) { Summary = "Changes a scanner.", Body = typeof(ScannerRegistrationJson) },
        new(HttpMethods.Delete, One, "deleteScanner", Tag, ApiNeed.System(SystemPermissions.ScannerDelete), api.DeleteAsync) { Summary = "Removes a scanner.", Answer = typeof(ScannerJson) },
        new(HttpMethods.Get, One + "/metadata", "getScannerMetadata", Tag, ApiNeed.System(SystemPermissions.ScannerRead), api.GetMetadataAsync)
        {
            Summary = "What a scanner reads and writes.", Answer = typeof(ScannerMetadataJson),
        },
        new(HttpMethods.Patch, One, "setScannerAsDefault", Tag, ApiNeed.System(SystemPermissions.ScannerUpdate), api.SetDefaultAsync)
        {
            Summary = "Makes a scanner the default.", Body = typeof(ScannerChoiceJson),
        },
        new(HttpMethods.Get, OfProject, "getScannerOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerRead), api.OfProjectAsync) { Summary = "The scanner of a project.", Answer = typeof(ScannerJson) },
        new(HttpMethods.Put, OfProject, "setScannerOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerCreate), api.SetOfProjectAsync)
        {
            Summary = "Chooses the scanner of a project.", Body = typeof(ScannerChoiceJson),
        },
        new(HttpMethods.Get, OfProject + "/candidates", "listScannerCandidatesOfProject", "project", ApiNeed.Project(ProjectPermissions.ScannerCreate), api.ListCandidatesAsync)
        {
            Summary = "The scanners that a project may choose.", Answer = typeof(ScannerJson), IsList = true,
        },
    ];

    private Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct) => ListAsync(call, static _ => true, ct);

    private Task<ApiResult> ListCandidatesAsync(ApiCall call, CancellationToken ct) => ListAsync(call, static one => !one.IsDisabled, ct);

    private async Task<ApiResult> ListAsync(ApiCall call, Func<ScannerRegistration, bool> isWanted, CancellationToken ct)
    {
        if (!call.TryReadList(out var list, out var refusal)) return refusal!;
        var entered = await database.ReadAsync(0, static (session, _, token) => ScannerRows.ListAsync(session, token), ct).ConfigureAwait(false);
        var shown = new List<ScannerRegistration?> { null };
        shown.AddRange(entered.Where(isWanted));
        shown.RemoveAll(one => !ScannerViews.IsMeant(one, list.Filters));
        var page = shown.Skip((int)Math.Min(list.Page.Offset, shown.Count)).Take(list.Page.Size);
        var isBuiltInDefault = !entered.Exists(static one => one.IsDefault);
        // All at once: one that does not answer holds up the list no longer than it may hold up itself.
        var views = await Task.WhenAll(page.Select(one => ViewAsync(one, isBuiltInDefault, ct))).ConfigureAwait(false);
        return ApiResult.List([.. views], shown.Count, ScanApiJson.Default.ListScannerJson);
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) =>
        await FindAsync(call.Route("registration_id"), ct).ConfigureAwait(false) is (true, var one)
            ? ApiResult.Ok(await ViewAsync(one, await IsBuiltInDefaultAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false), ScanApiJson.Default.ScannerJson)
            : NotFound(call.Route("registration_id"));

    private async Task<ApiResult> OfProjectAsync(ApiCall call, CancellationToken ct)
    {
        var one = await database.ReadAsync(call.Project!.Id, static (session, id, token) => ScannerRows.OfProjectAsync(session, id, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(await ViewAsync(one, await IsBuiltInDefaultAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false), ScanApiJson.Default.ScannerJson);
    }

    private async Task<ApiResult> GetMetadataAsync(ApiCall call, CancellationToken ct)
    {
        if (await FindAsync(call.Route("registration_id"), ct).ConfigureAwait(false) is not (true, var one)) return NotFound(call.Route("registration_id"));
        if (one is null) return ApiResult.Ok(BuiltInScanner.Metadata, ScanApiJson.Default.ScannerMetadataJson);
        var description = await scanners.DescribeAsync(one, isHurried: false, ct).ConfigureAwait(false);
        return description.Metadata is { } metadata
            ? ApiResult.Ok(metadata, ScanApiJson.Default.ScannerMetadataJson)
            : ApiResult.Fail(ApiError.Unavailable, $"scanner {one.Name} does not answer: {description.Problem}");
    }

    private async Task<ApiResult> PingAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerRegistrationJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var credential = body.AccessCredential ?? "";
        if (ScannerRules.ProblemOfAddress(body, credential, http.Guard) is { } problem) return ApiResult.BadRequest(problem);
        var endpoint = new ScannerEndpoint(ScannerRules.KindOf(body)!, UrlOf(body), ScannerAuth.WordOf(body.Auth)!, credential, body.SkipCertVerify);
        var description = await scanners.AskAsync(endpoint, ct).ConfigureAwait(false);
        return description.Problem is { } silent ? ApiResult.BadRequest($"the scanner does not answer: {silent}") : ApiResult.Done;
    }

    private async Task<ApiResult> CreateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerRegistrationJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var credential = body.AccessCredential ?? "";
        if (ScannerRules.ProblemOf(body, credential, http.Guard) is { } problem) return ApiResult.BadRequest(problem);
        var one = RowOf(ScannerViews.NewId(), body, credential, null);
        var added = await database.WriteAsync<ApiResult?>(Durability.Full, async (session, token) =>
        {
            if ((await ScannerRows.ListAsync(session, token).ConfigureAwait(false)).Count >= ScannerRules.MaxScanners) return ApiResult.BadRequest($"up to {ScannerRules.MaxScanners} scanners can be entered");
            if (!await ScannerRows.AddAsync(session, one, token).ConfigureAwait(false)) return Taken(one.Name);
            await RaiseAsync(session, call, "create", one.Name, null, $"create scanner {one.Name} at {one.Url}", token).ConfigureAwait(false);
            return null;
        }, ct).ConfigureAwait(false);
        return added ?? ApiResult.Created($"/api/v2.0{All}/{one.Id}");
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerRegistrationJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var id = call.Route("registration_id");
        if (IsBuiltIn(id)) return ApiResult.Forbidden("the built-in scanner cannot be changed");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ScannerRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } before) return NotFound(id);
            // A credential that was entered for one address and one kind of proof is not sent to another.
            var credential = body.AccessCredential is { Length: > 0 } sent ? sent
                : ScannerAuth.WordOf(body.Auth) == before.Auth && string.Equals(UrlOf(body), before.Url, StringComparison.Ordinal) ? scanners.CredentialOf(before) : "";
            if (ScannerRules.ProblemOf(body, credential, http.Guard) is { } problem) return ApiResult.BadRequest(problem);
            if (before.IsDefault && body.Disabled) return ApiResult.BadRequest($"scanner {before.Name} is the default: make another one the default first");
            if (await ScannerRows.IsTakenAsync(session, body.Name!, before.Id, token).ConfigureAwait(false)) return Taken(body.Name!);
            var one = RowOf(before.Id, body, credential, before);
            await ScannerRows.UpdateAsync(session, one, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", one.Name, null, $"update scanner {before.Name}", token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> DeleteAsync(ApiCall call, CancellationToken ct)
    {
        var id = call.Route("registration_id");
        if (IsBuiltIn(id)) return ApiResult.Forbidden("the built-in scanner cannot be removed");
        return await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            if (await ScannerRows.FindAsync(session, id, token).ConfigureAwait(false) is not { } one) return NotFound(id);
            await ScannerRows.DeleteAsync(session, one.Id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "delete", one.Name, null, $"delete scanner {one.Name}", token).ConfigureAwait(false);
            return ApiResult.Ok(ScannerViews.Of(one, null), ScanApiJson.Default.ScannerJson);
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> SetDefaultAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerChoiceJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (!body.IsDefault) return ApiResult.BadRequest("one scanner is the default: make another one the default instead");
        return await ChangeAsync(call, call.Route("registration_id"), async (session, id, name, token) =>
        {
            await ScannerRows.SetDefaultAsync(session, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", name, null, $"make scanner {name} the default", token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    private async Task<ApiResult> SetOfProjectAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ScanApiJson.Default.ScannerChoiceJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        return await ChangeAsync(call, body.Uuid ?? "", async (session, id, name, token) =>
        {
            await ScannerRows.ChooseAsync(session, call.Project!.Id, id, token).ConfigureAwait(false);
            await RaiseAsync(session, call, "update", name, call, $"choose scanner {name} for project {call.Project.Name}", token).ConfigureAwait(false);
        }, ct).ConfigureAwait(false);
    }

    // Whatever is chosen must be there and switched on.
    private Task<ApiResult> ChangeAsync(ApiCall call, string wanted, Func<DbSession, string, string, CancellationToken, ValueTask> change, CancellationToken ct) =>
        database.WriteAsync(Durability.Full, async (session, token) =>
        {
            var one = IsBuiltIn(wanted) ? null : await ScannerRows.FindAsync(session, wanted, token).ConfigureAwait(false);
            if (one is null && !IsBuiltIn(wanted)) return NotFound(wanted);
            if (one is { IsDisabled: true }) return ApiResult.BadRequest($"scanner {one.Name} is switched off");
            await change(session, one?.Id ?? BuiltInScanner.Uuid, one?.Name ?? BuiltInScanner.Name, token).ConfigureAwait(false);
            return ApiResult.Done;
        }, ct);

    private ScannerRegistration RowOf(string id, ScannerRegistrationJson body, string credential, ScannerRegistration? before)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var auth = ScannerAuth.WordOf(body.Auth)!;
        return new ScannerRegistration
        {
            Id = id,
            Name = body.Name!,
            Description = body.Description ?? "",
            Url = UrlOf(body),
            Kind = ScannerRules.KindOf(body)!,
            Auth = auth,
            Credential = auth.Length == 0 ? null : scanners.Seal(credential),
            SkipCertVerify = body.SkipCertVerify,
            IsDisabled = body.Disabled,
            UseInternalAddress = body.UseInternalAddr,
            CreatedAt = before?.CreatedAt ?? now,
            // Each change counts, also two within a millisecond: what is known of the scanner goes by it.
            UpdatedAt = Math.Max(now, (before?.UpdatedAt ?? 0) + 1),
        };
    }

    private async Task<ScannerJson> ViewAsync(ScannerRegistration? one, bool isBuiltInDefault, CancellationToken ct) => one is null
        ? ScannerViews.BuiltIn(isBuiltInDefault)
        : ScannerViews.Of(one, one.IsDisabled ? null : await scanners.DescribeAsync(one, isHurried: true, ct).ConfigureAwait(false));

    private async ValueTask<bool> IsBuiltInDefaultAsync(CancellationToken ct) =>
        !(await database.ReadAsync(0, static (session, _, token) => ScannerRows.ListAsync(session, token), ct).ConfigureAwait(false)).Exists(static one => one.IsDefault);

    // Found without a row: the built-in one.
    private async ValueTask<(bool IsFound, ScannerRegistration? One)> FindAsync(string id, CancellationToken ct)
    {
        if (IsBuiltIn(id)) return (true, null);
        var one = await database.ReadAsync(id, static (session, wanted, token) => ScannerRows.FindAsync(session, wanted, token), ct).ConfigureAwait(false);
        return (one is not null, one);
    }

    private ValueTask RaiseAsync(DbSession session, ApiCall call, string operation, string name, ApiCall? inProject, string description, CancellationToken ct) => events.RaiseAsync(session, new DomainEvent
    {
        Operation = operation,
        ResourceType = "scanner",
        Resource = name,
        ProjectId = inProject?.Project!.Id,
        ProjectName = inProject?.Project!.Name,
        Actor = call.Actor,
        Description = description,
    }, ct);

    private static string UrlOf(ScannerRegistrationJson body) => (body.Url ?? "").Trim().TrimEnd('/');

    private static bool IsBuiltIn(string id) => string.Equals(id, BuiltInScanner.Uuid, StringComparison.OrdinalIgnoreCase);

    private static ApiResult NotFound(string id) => ApiResult.NotFound($"scanner registration {id} not found");

    private static ApiResult Taken(string name) => ApiResult.Conflict($"scanner registration named {name} already exists");
}
