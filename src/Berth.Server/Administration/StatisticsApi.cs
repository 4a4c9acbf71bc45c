using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>How many projects and repositories there are for a caller, and what all of them store.</summary>
internal sealed class StatisticsApi(Database database, TimeProvider time)
{
    /// <summary>How long the sum over all blobs is remembered: it is the one number here that is not kept up to date by those who change it.</summary>
    private static readonly TimeSpan SumLasts = TimeSpan.FromMinutes(5);

    private Sum? _sum;

    internal static IEnumerable<ApiOperation> Operations(StatisticsApi api) =>
    [
        new(HttpMethods.Get, "/statistics", "getStatistic", "statistic", ApiNeed.SignedIn, api.GetAsync) { Answer = typeof(Statistic), Summary = "Counts of the projects and repositories that the caller sees; the stored bytes for administrators" },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var projects = await VisibleProjects.ReadAsync(database, call, ct).ConfigureAwait(false);
        var (open, closed) = (projects.FindAll(p => p.IsPublic), projects.FindAll(p => !p.IsPublic));
        var statistic = new Statistic
        {
            PublicProjectCount = open.Count,
            PublicRepoCount = open.Sum(p => p.RepositoryCount),
            PrivateProjectCount = closed.Count,
            PrivateRepoCount = closed.Sum(p => p.RepositoryCount),
        };
        if (call.IsAdmin)
        {
            statistic = statistic with
            {
                TotalProjectCount = projects.Count,
                TotalRepoCount = projects.Sum(p => p.RepositoryCount),
                TotalStorageConsumption = await StoredAsync(ct).ConfigureAwait(false),
            };
        }
        return ApiResult.Ok(statistic, AdministrationJson.Default.Statistic);
    }

    private async ValueTask<long> StoredAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _sum) is { } known && time.GetElapsedTime(known.At) < SumLasts) return known.Bytes;
        var bytes = await database.ReadAsync(0, static (session, _, token) => session.ScalarAsync(SelectSum, [], token), ct).ConfigureAwait(false) ?? 0;
        Volatile.Write(ref _sum, new Sum(bytes, time.GetTimestamp()));
        return bytes;
    }

    private sealed record Sum(long Bytes, long At);

    private static readonly Statement SelectSum = new("SELECT SUM(size) FROM blobs");
}
