using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Advisories;

/// <summary>Tells by which advisory databases reports were judged, how far the newest round is, and how fresh the database of this process is.</summary>
internal sealed class AdvisoryRoundsApi(Database database, AdvisoryStore advisories)
{
    private const int Shown = 20;

    public static IEnumerable<ApiOperation> Operations(AdvisoryRoundsApi api) =>
    [
        new(HttpMethods.Get, "/security/advisories", "getAdvisoryRounds", "security", ApiNeed.System(SystemPermissions.ScanAllRead), api.GetAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(AdvisoriesJson), Summary = "The advisory database of this server, and how reports were brought up to each one.",
        },
    ];

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var rounds = await database.ReadAsync(0, static (session, _, token) => AdvisoryRounds.ListAsync(session, Shown, token), ct).ConfigureAwait(false);
        using var loan = advisories.Borrow();
        var metadata = loan?.Database.Metadata;
        return ApiResult.Ok(new AdvisoriesJson
        {
            BuiltAt = ApiTime.Text(metadata?.BuiltAt.ToUnixTimeMilliseconds()),
            NewestSource = ApiTime.Text(metadata?.NewestSource?.ToUnixTimeMilliseconds()),
            Advisories = metadata?.Advisories ?? 0,
            Rounds =
            [
                .. rounds.Select(static round => new AdvisoryRoundJson
                {
                    BuiltAt = ApiTime.Text(round.BuiltAt),
                    IsRollback = round.IsRollback,
                    StartTime = ApiTime.Text(round.StartedAt),
                    EndTime = ApiTime.Text(round.FinishedAt),
                    Affected = round.Affected,
                    Judged = round.Judged,
                    Changed = round.Changed,
                    NewFindings = round.NewFindings,
                }),
            ],
        }, AdvisoryRoundsJson.Default.AdvisoriesJson);
    }
}

/// <summary>The advisories of this server.</summary>
public sealed record AdvisoriesJson
{
    /// <summary>When the database was built; left out when there is none.</summary>
    public string? BuiltAt { get; init; }

    /// <summary>Date of the newest data in it; left out when unknown.</summary>
    public string? NewestSource { get; init; }

    /// <summary>Pairs of package and advisory.</summary>
    public long Advisories { get; init; }

    /// <summary>The newest first.</summary>
    public required IReadOnlyList<AdvisoryRoundJson> Rounds { get; init; }
}

/// <summary>Bringing all reports up to one advisory database.</summary>
public sealed record AdvisoryRoundJson
{
    /// <summary>When the database was built.</summary>
    public required string BuiltAt { get; init; }

    public bool IsRollback { get; init; }

    public required string StartTime { get; init; }

    /// <summary>Left out while it runs.</summary>
    public string? EndTime { get; init; }

    /// <summary>Images that changed advisories touch.</summary>
    public long Affected { get; init; }

    public long Judged { get; init; }

    /// <summary>Images whose findings changed.</summary>
    public long Changed { get; init; }

    public long NewFindings { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AdvisoriesJson))]
internal sealed partial class AdvisoryRoundsJson : JsonSerializerContext;
