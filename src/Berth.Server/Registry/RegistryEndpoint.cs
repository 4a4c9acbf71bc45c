using System.Data.Common;
using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Access.Rules;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Registry;

/// <summary>
/// The door of <c>/v2/</c>. Every request goes through here, in this order:
/// 1. the path is taken apart, 2. the caller signs in, 3. the rate limit is asked, 4. method, name and permission are checked,
/// 5. the use case answers. Errors of the infrastructure become protocol errors here and nowhere else.
/// </summary>
internal sealed class RegistryEndpoint(
    ICallerSource access, RateLimit rateLimit, RegistryOptions options, RuntimeSettings settings, Pull pull, Push push, Uploads uploads, Deletes deletes, Listings listings,
    DomainEvents domainEvents, Database database, ILogger<RegistryEndpoint> logger, AccessExplainer? explainer = null)
{
    public async Task HandleAsync(HttpContext context, string path)
    {
        try
        {
            await RouteAsync(context, path).ConfigureAwait(false);
        }
        // The first to find that the database is away: a pull goes on from memory.
        catch (DbException) when (IsRead(context) && !context.Response.HasStarted && database.Outage.IsBelieving)
        {
            await RouteInOutageAsync(context, path).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await AnswerFailureAsync(context, e).ConfigureAwait(false);
        }
    }

    private async Task RouteInOutageAsync(HttpContext context, string path)
    {
        try
        {
            await RouteAsync(context, path).ConfigureAwait(false);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            await AnswerFailureAsync(context, e).ConfigureAwait(false);
        }
    }

    private async Task RouteAsync(HttpContext context, string path)
    {
        // 1. What is asked for.
        var (route, name, reference) = Parse(path);
        var facts = RequestFacts.Of(context);
        facts.Route = Label(route);
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";

        // 2. Who asks.
        var signIn = await access.SignInAsync(context, context.RequestAborted).ConfigureAwait(false);
        if (signIn.RetryAfter is { } wait)
        {
            await RefuseForNowAsync(context, wait).ConfigureAwait(false);
            return;
        }
        if (signIn.Caller is not { } caller)
        {
            await ChallengeAsync(context, ScopeFor(route, name, context), "invalid_token").ConfigureAwait(false);
            return;
        }
        facts.Caller = caller.Name;
        if (caller.MustChangePassword)
        {
            await OciErrors.WriteAsync(context, OciError.PasswordChange).ConfigureAwait(false);
            return;
        }

        // 3. How often.
        if (await rateLimit.CheckAsync(caller, context).ConfigureAwait(false) is { } pause)
        {
            await RefuseForNowAsync(context, pause).ConfigureAwait(false);
            return;
        }

        // 4. and 5.
        await (route switch
        {
            RegistryRoute.None => OciErrors.WriteAsync(context, OciError.NoSuchRoute),
            RegistryRoute.Version => VersionAsync(context, caller),
            RegistryRoute.Catalog => CatalogAsync(context, caller),
            _ => RepositoryAsync(context, caller, facts, route, name, reference),
        }).ConfigureAwait(false);
    }

    private async Task RepositoryAsync(HttpContext context, Caller caller, RequestFacts facts, RegistryRoute route, string name, string reference)
    {
        var method = context.Request.Method;
        var action = ActionFor(route, method);
        if (action is null)
        {
            context.Response.Headers.Allow = AllowedMethods(route);
            await OciErrors.WriteAsync(context, OciError.Unsupported, $"{method} is not a method of this endpoint").ConfigureAwait(false);
            return;
        }
        if (!RepositoryName.IsValid(name))
        {
            await OciErrors.WriteAsync(context, OciError.NameInvalid, Shown(name)).ConfigureAwait(false);
            return;
        }
        facts.Repository = name;
        var rights = await access.RightsAsync(caller, name, context.RequestAborted).ConfigureAwait(false);
        if (!rights.May(action.Value))
        {
            await RefuseAsync(context, caller, ScopeFor(route, name, context), await WhyNotAsync(context, caller, rights, action.Value).ConfigureAwait(false)).ConfigureAwait(false);
            return;
        }
        // HEAD is how clients look whether they have to pull: it is free.
        if (route == RegistryRoute.Manifest && action != RepositoryAction.Delete && !HttpMethods.IsHead(method)
            && await rateLimit.CheckManifestAsync(caller, context, rights.Project, action.Value).ConfigureAwait(false) is { } tooOften)
        {
            await RefuseForNowAsync(context, tooOften.Wait, tooOften.Limit).ConfigureAwait(false);
            return;
        }

        // A repository may be read while it may not be written: both switches answer as Docker Registry does.
        if (action != RepositoryAction.Pull && await settings.ReadAsync(RuntimeSettingTable.ReadOnly, context.RequestAborted).ConfigureAwait(false))
        {
            await OciErrors.WriteAsync(context, OciError.Unsupported, "the registry is read-only").ConfigureAwait(false);
            return;
        }
        if (action == RepositoryAction.Delete && !options.Delete)
        {
            await OciErrors.WriteAsync(context, OciError.Unsupported, "deleting is switched off: set registry.delete").ConfigureAwait(false);
            return;
        }
        var request = new RegistryRequest(context, rights, caller, facts);
        if (action == RepositoryAction.Push && rights.Seed is { } seed && seed != ProjectSeed.Silent) request = WithProjectEvent(request, seed);
        await AnswerAsync(request, route, action.Value, reference).ConfigureAwait(false);
    }

    // The push makes a project: that is told as if somebody had asked for one.
    private RegistryRequest WithProjectEvent(RegistryRequest request, ProjectSeed seed)
    {
        var name = ProjectName.Of(request.Repository);
        return request with
        {
            Rights = request.Rights.With(seed with
            {
                Created = (session, id, ct) => domainEvents.RaiseAsync(
                    session, ProjectEvents.Of(ProjectEvents.Create, id, name, RegistryEvents.ActorOf(request), $"create project: {name} by a push to {request.Repository}"), ct),
            }),
        };
    }

    private Task AnswerAsync(RegistryRequest request, RegistryRoute route, RepositoryAction action, string reference)
    {
        var method = request.Http.Request.Method;
        return route switch
        {
            RegistryRoute.Manifest when action == RepositoryAction.Pull => pull.ManifestAsync(request, reference),
            RegistryRoute.Manifest when action == RepositoryAction.Push => push.ManifestAsync(request, reference),
            RegistryRoute.Manifest => deletes.ManifestAsync(request, reference),
            RegistryRoute.Blob when action == RepositoryAction.Pull => pull.BlobAsync(request, reference),
            RegistryRoute.Blob => deletes.BlobAsync(request, reference),
            RegistryRoute.Uploads => uploads.StartAsync(request),
            RegistryRoute.Upload when HttpMethods.IsPatch(method) => uploads.PatchAsync(request, reference),
            RegistryRoute.Upload when HttpMethods.IsPut(method) => uploads.FinishAsync(request, reference),
            RegistryRoute.Upload when HttpMethods.IsDelete(method) => uploads.CancelAsync(request, reference),
            RegistryRoute.Upload => uploads.StatusAsync(request, reference),
            RegistryRoute.Tags => listings.TagsAsync(request),
            _ => listings.ReferrersAsync(request, reference),
        };
    }

    private async Task VersionAsync(HttpContext context, Caller caller)
    {
        if (!IsRead(context)) { await RefuseMethodAsync(context).ConfigureAwait(false); return; }
        if (!access.MayUseApi(caller)) { await RefuseAsync(context, caller, "").ConfigureAwait(false); return; }
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = 2;
        if (HttpMethods.IsGet(context.Request.Method)) await context.Response.BodyWriter.WriteAsync("{}"u8.ToArray(), context.RequestAborted).ConfigureAwait(false);
    }

    private Task CatalogAsync(HttpContext context, Caller caller)
    {
        if (!IsRead(context)) return RefuseMethodAsync(context);
        return access.MayListCatalog(caller) ? listings.CatalogAsync(context, caller) : RefuseAsync(context, caller, "registry:catalog:*");
    }

    private static bool IsRead(HttpContext context) => HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);

    private static Task RefuseMethodAsync(HttpContext context)
    {
        context.Response.Headers.Allow = "GET, HEAD";
        return OciErrors.WriteAsync(context, OciError.Unsupported, $"{context.Request.Method} is not a method of this endpoint");
    }

    // Without credentials, or with a token that was made for something else: ask for better ones. Known and not allowed: say no.
    private Task RefuseAsync(HttpContext context, Caller caller, string scope, string? why = null)
    {
        if (caller.IsAnonymous) return ChallengeAsync(context, scope, null);
        if (caller.Grants is not null) return ChallengeAsync(context, scope, "insufficient_scope", why);
        return OciErrors.WriteAsync(context, OciError.Denied, why ?? (scope.Length == 0 ? null : $"{caller.Name} lacks {scope}"));
    }

    // Who may look at the project is told what decides; to others it says nothing of what is there.
    private async ValueTask<string?> WhyNotAsync(HttpContext context, Caller caller, RepositoryRights rights, RepositoryAction action) =>
        explainer is null || caller.IsAnonymous || rights.Project is not { } project ? null
        : await explainer.SentenceAsync(caller, new AccessQuestion(Grants.WordOf(action), project, ProjectName.WithoutProject(rights.Repository), ""), context.RequestAborted).ConfigureAwait(false);

    private Task ChallengeAsync(HttpContext context, string scope, string? error, string? why = null)
    {
        var challenge = access.Challenge(context, scope, error);
        if (challenge.Length == 0) return OciErrors.WriteAsync(context, OciError.Denied);
        context.Response.Headers.WWWAuthenticate = challenge;
        return OciErrors.WriteAsync(context, OciError.Unauthorized, why ?? (scope.Length == 0 ? null : scope));
    }

    private static Task RefuseForNowAsync(HttpContext context, TimeSpan wait, string? limit = null)
    {
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString();
        return OciErrors.WriteAsync(context, OciError.TooManyRequests, limit);
    }

    private Task AnswerFailureAsync(HttpContext context, Exception failure)
    {
        switch (failure)
        {
            case BadHttpRequestException bad:
                return OciErrors.WriteAsync(context, bad.StatusCode == 413 ? OciError.TooLarge : OciError.BadRequest with { Status = bad.StatusCode }, bad.Message);
            case OperationCanceledException:
                // The client is still there (HandleAsync), so it was its turn at an upload that ended (ActiveUploads).
                return OciErrors.WriteAsync(context, OciError.RangeInvalid, "another request has taken over the upload");
            case SignInUnavailableException:
                context.Response.Headers.RetryAfter = "5";
                return OciErrors.WriteAsync(context, OciError.Unavailable, SignInUnavailableException.Answer);
            case UploadBytesMissingException:
                return OciErrors.WriteAsync(context, OciError.BlobUploadUnknown, "the bytes of the upload are lost: start again");
            case StoreFullException:
                logger.StoreIsFull(failure.Message);
                return OciErrors.WriteAsync(context, OciError.StorageFull, failure.Message);
            case IOException { HResult: 28 or unchecked((int)0x80070070) }:
                logger.StoreIsFull(failure.Message);
                return OciErrors.WriteAsync(context, OciError.StorageFull, "the disk is full");
            case DbException full when DatabaseFailure.IsFull(full):
                logger.StoreIsFull(failure.Message);
                return OciErrors.WriteAsync(context, OciError.StorageFull, "the disk of the database is full");
            case DbException away when DatabaseFailure.IsPassing(away):
            case IOException or TimeoutException:
                // An outage is told once, when it begins.
                if (failure is not DatabaseAwayException) logger.InfrastructureFailed(failure, context.Request.Method, context.Request.Path);
                context.Response.Headers.RetryAfter = "5";
                return OciErrors.WriteAsync(context, OciError.Unavailable);
            default:
                logger.RequestFailed(failure, context.Request.Method, context.Request.Path);
                return OciErrors.WriteAsync(context, OciError.Internal);
        }
    }

    private static (RegistryRoute Route, string Name, string Reference) Parse(string path)
    {
        var parsed = RegistryPath.Parse(path);
        return (parsed.Route, parsed.Name.ToString(), parsed.Reference.ToString());
    }

    private static RepositoryAction? ActionFor(RegistryRoute route, string method) => route switch
    {
        RegistryRoute.Manifest or RegistryRoute.Blob or RegistryRoute.Tags or RegistryRoute.Referrers
            when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) => RepositoryAction.Pull,
        RegistryRoute.Manifest when HttpMethods.IsPut(method) => RepositoryAction.Push,
        RegistryRoute.Manifest or RegistryRoute.Blob when HttpMethods.IsDelete(method) => RepositoryAction.Delete,
        RegistryRoute.Uploads when HttpMethods.IsPost(method) => RepositoryAction.Push,
        RegistryRoute.Upload when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsPatch(method)
            || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method) => RepositoryAction.Push,
        _ => null,
    };

    private static string AllowedMethods(RegistryRoute route) => route switch
    {
        RegistryRoute.Manifest => "GET, HEAD, PUT, DELETE",
        RegistryRoute.Blob => "GET, HEAD, DELETE",
        RegistryRoute.Uploads => "POST",
        RegistryRoute.Upload => "GET, HEAD, PATCH, PUT, DELETE",
        _ => "GET, HEAD",
    };

    private static string ScopeFor(RegistryRoute route, string name, HttpContext context)
    {
        if (route == RegistryRoute.Catalog) return "registry:catalog:*";
        if (!RepositoryName.IsValid(name)) return "";
        var scope = ActionFor(route, context.Request.Method) switch
        {
            RepositoryAction.Push => $"repository:{name}:pull,push",
            RepositoryAction.Delete => $"repository:{name}:delete",
            _ => $"repository:{name}:pull",
        };
        var from = route == RegistryRoute.Uploads ? context.Request.Query["from"].ToString() : "";
        return RepositoryName.IsValid(from) && from != name ? $"{scope} repository:{from}:pull" : scope;
    }

    private static string Label(RegistryRoute route) => route switch
    {
        RegistryRoute.Version => "version",
        RegistryRoute.Catalog => "catalog",
        RegistryRoute.Manifest => "manifest",
        RegistryRoute.Blob => "blob",
        RegistryRoute.Uploads or RegistryRoute.Upload => "upload",
        RegistryRoute.Tags => "tags",
        RegistryRoute.Referrers => "referrers",
        _ => "other",
    };

    private static string Shown(string text) => text.Length <= 300 ? text : text[..300] + "…";
}

internal static partial class RegistryEndpointLog
{
    [LoggerMessage(1000, LogLevel.Error, "request failed: {Method} {Path}")]
    public static partial void RequestFailed(this ILogger logger, Exception error, string method, string? path);

    [LoggerMessage(1001, LogLevel.Error, "request failed: {Method} {Path}: database or storage is out of order")]
    public static partial void InfrastructureFailed(this ILogger logger, Exception error, string method, string? path);

    [LoggerMessage(1002, LogLevel.Error, "upload refused: {Reason}")]
    public static partial void StoreIsFull(this ILogger logger, string reason);
}
