using Berth.Server.Access;

namespace Berth.Server.Tests.Access;

/// <summary>Short questions to sources that answer at once.</summary>
internal static class CallerSourceQuestions
{
    public static bool May(this ICallerSource access, Caller caller, string repository, RepositoryAction action) =>
        access.RightsAsync(caller, repository, CancellationToken.None).AsTask().GetAwaiter().GetResult().May(action);

    public static bool MayList(this ICallerSource access, Caller caller, string repository) =>
        access.MayListAsync(caller, repository, CancellationToken.None).AsTask().GetAwaiter().GetResult();
}
