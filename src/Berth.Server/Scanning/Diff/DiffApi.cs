using Berth.Server.Api;
using Berth.Server.Scanning.Contents;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Diff;

/// <summary>Ours beyond Harbor: what changed between two artifacts. Needs the permission to read additions of both.</summary>
internal sealed class DiffApi(ReadableArtifacts artifacts, ImageDiff diff)
{
    public static IEnumerable<ApiOperation> Operations(DiffApi api) =>
    [
        // The projects stand in the query: the handler asks for the permission in both.
        new(HttpMethods.Get, "/security/diff", "diffArtifacts", "scan", ApiNeed.Inside, api.GetAsync)
        {
            Surface = ApiSurface.Berth, Summary = "Compares the packages and findings of two artifacts, each named project/repository:tag or project/repository@digest.", Answer = typeof(DiffJson),
            Query = ["from", "to"],
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var (from, refusal) = await artifacts.FindAsync(call, call.Query("from"), ct).ConfigureAwait(false);
        if (from is null) return refusal!;
        (var to, refusal) = await artifacts.FindAsync(call, call.Query("to"), ct).ConfigureAwait(false);
        if (to is null) return refusal!;
        var (found, missing) = await diff.CompareAsync(from, to, ct).ConfigureAwait(false);
        return found is null ? ApiResult.NotFound(missing!) : ApiResult.Ok(found, DiffJsonContext.Default.DiffJson);
    }
}
