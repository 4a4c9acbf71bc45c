using System.Net.Sockets;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.SignIn;

/// <summary>
/// Harbor's operations on a directory: try it, search users and groups, import users. A try is for administrators, ends in time, and its answer holds no word of the
/// server's; an address that is not the one in force must be one of <c>outgoing.allow</c> where that is set.
/// </summary>
internal sealed class LdapApi(LdapSource source, LdapUsers users, OutgoingGuard guard)
{
    private const int MaxImported = 1000;

    public IEnumerable<ApiOperation> Operations() =>
    [
        new("POST", "/ldap/ping", "pingLdap", "Ldap", ApiNeed.Admin, PingAsync)
        {
            Body = typeof(LdapConf), Answer = typeof(LdapPingResult), Summary = "Tries a directory: the one of the body, or without a body the one in force",
        },
        new("GET", "/ldap/users/search", "searchLdapUser", "Ldap", ApiNeed.System(SystemPermissions.LdapUserList), SearchUsersAsync)
        {
            Answer = typeof(LdapUserAnswer), IsList = true, Query = ["username"], Summary = "Searches people of the directory",
        },
        new("POST", "/ldap/users/import", "importLdapUser", "Ldap", ApiNeed.System(SystemPermissions.LdapUserCreate), ImportAsync)
        {
            Body = typeof(LdapImportUsers), Summary = "Makes users of people in the directory before they sign in",
        },
        new("GET", "/ldap/groups/search", "searchLdapGroup", "Ldap", ApiNeed.System(SystemPermissions.LdapUserList), SearchGroupsAsync)
        {
            Answer = typeof(LdapGroupAnswer), IsList = true, Query = ["groupname", "groupdn"], Summary = "Searches groups of the directory by name or distinguished name",
        },
    ];

    private async Task<ApiResult> PingAsync(ApiCall call, CancellationToken ct)
    {
        var current = (await users.FindDirectoryAsync(ct).ConfigureAwait(false))?.Options ?? new LdapOptions();
        var options = current;
        if (call.Http.Request.ContentLength is not (null or 0) || call.Http.Request.Headers.TransferEncoding.Count > 0)
        {
            var (isRead, body, refusal) = await call.ReadAsync(SignInJson.Default.LdapConf, ct).ConfigureAwait(false);
            if (!isRead) return refusal!;
            options = OptionsOf(body, current);
        }
        var problem = await ProblemOfAsync(options, isInForce: options.Url == current.Url, ct).ConfigureAwait(false);
        return ApiResult.Ok(new LdapPingResult(problem is null, problem is null ? null : "error: " + problem), SignInJson.Default.LdapPingResult);
    }

    private async Task<string?> ProblemOfAsync(LdapOptions options, bool isInForce, CancellationToken ct)
    {
        if (!options.IsConfigured) return "no address of an LDAP server is given";
        try
        {
            var directory = source.Open(options);
            foreach (var address in isInForce ? [] : LdapAddress.ParseAll(options.Url))
            {
                if (await guard.ProblemOfTryAsync(address.Host, ct).ConfigureAwait(false) is { } refusal) return refusal;
            }
            return await directory.PingAsync(ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FormatException or SocketException)
        {
            return e.Message;
        }
    }

    // A password that is left out is the one in force, and only for the server that it belongs to: it must not be sent to another.
    private static LdapOptions OptionsOf(LdapConf body, LdapOptions current)
    {
        var isSameServer = body.LdapUrl is null || body.LdapUrl == current.Url;
        var timeout = body.LdapConnectionTimeout is > 0 and <= 60 and var seconds ? TimeSpan.FromSeconds((double)seconds) : current.Timeout;
        return current with
        {
            Url = body.LdapUrl ?? current.Url,
            SearchDn = body.LdapSearchDn ?? current.SearchDn,
            SearchPassword = body.LdapSearchPassword is { Length: > 0 } password ? password : isSameServer ? current.SearchPassword : null,
            BaseDn = body.LdapBaseDn ?? current.BaseDn,
            Filter = body.LdapFilter ?? current.Filter,
            Uid = body.LdapUid is { Length: > 0 } uid ? uid : current.Uid,
            Scope = body.LdapScope is >= 0 and <= 2 and var scope ? (LdapScope)(int)scope : current.Scope,
            Timeout = timeout,
            VerifyCert = body.LdapVerifyCert ?? current.VerifyCert,
        };
    }

    private Task<ApiResult> SearchUsersAsync(ApiCall call, CancellationToken ct) => AskAsync(async directory =>
    {
        var found = await directory.SearchUsersAsync(call.Query("username"), ct).ConfigureAwait(false);
        return ApiResult.Ok(found.Select(u => new LdapUserAnswer(u.Name, u.RealName, u.Email)).ToList(), SignInJson.Default.ListLdapUserAnswer);
    }, ct);

    private Task<ApiResult> SearchGroupsAsync(ApiCall call, CancellationToken ct) => AskAsync(async directory =>
    {
        var (name, dn) = (call.Query("groupname"), call.Query("groupdn"));
        IReadOnlyList<LdapGroup> found = [];
        if (name.Length > 0)
        {
            found = await directory.SearchGroupsAsync(name, ct).ConfigureAwait(false);
        }
        else if (dn.Length > 0)
        {
            if (LdapDn.Normalize(dn) is null) return ApiResult.BadRequest("invalid DN syntax");
            found = await directory.FindGroupAsync(dn, ct).ConfigureAwait(false) is { } group ? [group] : [];
        }
        return found.Count == 0
            ? ApiResult.NotFound($"group name:{name}, group DN:{dn}")
            : ApiResult.Ok(found.Select(g => new LdapGroupAnswer(g.Name, g.Dn)).ToList(), SignInJson.Default.ListLdapGroupAnswer);
    }, ct);

    private async Task<ApiResult> ImportAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(SignInJson.Default.LdapImportUsers, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        if (body.LdapUidList is not { Count: > 0 and <= MaxImported } names) return ApiResult.BadRequest($"ldap_uid_list must hold between 1 and {MaxImported} names");
        return await AskAsync(async directory =>
        {
            var failed = new List<LdapFailedImportUser>();
            foreach (var name in names)
            {
                if (await ImportOneAsync(directory, name, call, ct).ConfigureAwait(false) is { } error) failed.Add(new LdapFailedImportUser(name, error));
            }
            return failed.Count == 0 ? ApiResult.Done : ApiResult.Json(StatusCodes.Status404NotFound, failed, SignInJson.Default.ListLdapFailedImportUser);
        }, ct).ConfigureAwait(false);
    }

    // The words are Harbor's.
    private async Task<string?> ImportOneAsync(LdapDirectory directory, string name, ApiCall call, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(name)) return "empty_uid";
        try
        {
            if (await directory.LookUpAsync(name, ct).ConfigureAwait(false) is not { } person) return "unknown_user";
            var isMade = Identity.Users.IsName(person.User.Name) && await users.EnsureAsync(person, call.Actor, ct).ConfigureAwait(false) is not null;
            return isMade ? null : "failed to import user: " + name;
        }
        catch (LdapUnavailableException)
        {
            return "failed_search_user";
        }
    }

    private async Task<ApiResult> AskAsync(Func<LdapDirectory, Task<ApiResult>> ask, CancellationToken ct)
    {
        if (await users.FindDirectoryAsync(ct).ConfigureAwait(false) is not { } directory) return ApiResult.BadRequest("no LDAP server is configured");
        try
        {
            return await ask(directory).ConfigureAwait(false);
        }
        catch (LdapUnavailableException e)
        {
            return ApiResult.Fail(ApiError.Internal, e.Message);
        }
    }
}
