using Berth.Server.Api;
using Berth.Server.Identity;
using Berth.Server.Identity.Sessions;

namespace Berth.Server.SignIn;

/// <summary>Who is signed in with which browser: people see and end their own sessions, administrators everybody's.</summary>
internal sealed class SessionApi(BrowserSessions sessions, Users users)
{
    private const int Most = 500;

    public IEnumerable<ApiOperation> Operations() =>
    [
        new("GET", "/sessions", "listSessions", "session", ApiNeed.SignedIn, ListAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(SessionAnswer), IsList = true, Query = ["user", "all"],
            Summary = "Lists the caller's sessions; administrators may ask for another user's, or all",
        },
        new("DELETE", "/sessions", "endOtherSessions", "session", ApiNeed.SignedIn, EndOthersAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Ends all sessions of the caller but the one of this request",
        },
        new("DELETE", "/sessions/{session_id}", "endSession", "session", ApiNeed.SignedIn, EndAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Ends a session: the caller's own, or anybody's for administrators",
        },
    ];

    private async Task<ApiResult> ListAsync(ApiCall call, CancellationToken ct)
    {
        long? userId = call.Caller.SubjectId;
        if (call.Caller.Kind != Access.CallerKind.User) return call.Refuse("robots have no sessions");
        if (call.Query("user") is { Length: > 0 } name && name != call.Caller.Name)
        {
            if (!call.IsAdmin) return call.Refuse();
            if (await users.FindAsync(name, ct).ConfigureAwait(false) is not { } user) return ApiResult.NotFound($"there is no user {name}");
            userId = user.Id;
        }
        else if (call.Flag("all"))
        {
            if (!call.IsAdmin) return call.Refuse();
            userId = null;
        }
        var current = call.Http.Features.Get<BrowserSession>()?.Id;
        var list = await sessions.ListAsync(userId, Most, ct).ConfigureAwait(false);
        var answers = list.ConvertAll(s => new SessionAnswer
        {
            Id = s.Id,
            UserId = s.UserId,
            Address = s.Address,
            UserAgent = s.UserAgent,
            Provider = sessions.ProviderOf(s)?.Name,
            CreatedAt = TimeOf(s.CreatedAt),
            LastSeenAt = TimeOf(s.LastSeenAt),
            ExpiresAt = TimeOf(s.ExpiresAt),
            IsCurrent = s.Id == current,
        });
        return ApiResult.List(answers, answers.Count, SignInJson.Default.ListSessionAnswer);
    }

    private async Task<ApiResult> EndAsync(ApiCall call, CancellationToken ct)
    {
        if (call.RouteNumber("session_id") is not { } id) return ApiResult.NotFound("there is no such session");
        long? owner = call.IsAdmin ? null : call.Caller.Kind == Access.CallerKind.User ? call.Caller.SubjectId : 0;
        return await sessions.EndAsync(id, owner, ct).ConfigureAwait(false) ? ApiResult.NoContent : ApiResult.NotFound("there is no such session");
    }

    private async Task<ApiResult> EndOthersAsync(ApiCall call, CancellationToken ct)
    {
        if (call.Caller.Kind != Access.CallerKind.User) return call.Refuse("robots have no sessions");
        await sessions.EndOthersAsync(call.Caller.SubjectId, call.Http.Features.Get<BrowserSession>()?.Id ?? 0, ct).ConfigureAwait(false);
        return ApiResult.NoContent;
    }

    private static DateTime TimeOf(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime;
}
