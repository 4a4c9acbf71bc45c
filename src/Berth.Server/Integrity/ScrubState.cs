using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;

namespace Berth.Server.Integrity;

/// <summary>How far the present pass over all blobs is: a fact of the installation, moved on from the value that was read, so that of two that work one goes on.</summary>
internal sealed record ScrubState
{
    private const string FactName = "scrub";

    /// <summary>Id of the last blob that was looked at.</summary>
    public long Cursor { get; init; }

    /// <summary>Start of the pass, Unix milliseconds.</summary>
    public long StartedAt { get; init; }

    /// <summary>Its end; null while it is under way.</summary>
    public long? FinishedAt { get; init; }

    /// <summary>Blobs looked at.</summary>
    public long Blobs { get; init; }

    /// <summary>Of these, wrong or missing.</summary>
    public long Bad { get; init; }

    /// <summary>Text of the row; null where there is none yet.</summary>
    [JsonIgnore]
    public string? Text { get; init; }

    /// <summary>Whether there is something to do.</summary>
    public bool IsDue(TimeSpan interval, DateTimeOffset now) => FinishedAt is null || StartedAt + interval.TotalMilliseconds <= now.ToUnixTimeMilliseconds();

    /// <summary>Reads it.</summary>
    public static async ValueTask<ScrubState> ReadAsync(Database database, CancellationToken ct)
    {
        var text = await database.ReadAsync(0, static async (session, _, token) =>
            await session.Command(Select, FactName).ExecuteScalarAsync(token).ConfigureAwait(false) as string, ct).ConfigureAwait(false);
        var state = text is null ? null : JsonSerializer.Deserialize(text, IntegrityJson.Default.ScrubState);
        return (state ?? new ScrubState()) with { Text = text };
    }

    /// <summary>Moves it on; null when somebody else has.</summary>
    public async Task<ScrubState?> MoveAsync(Database database, ScrubState to, CancellationToken ct)
    {
        var text = JsonSerializer.Serialize(to, IntegrityJson.Default.ScrubState);
        var moved = await database.WriteAsync(Durability.Relaxed, async (session, token) =>
            Text is null ? await session.ExecuteAsync(Insert, [FactName, text], token).ConfigureAwait(false) : await session.ExecuteAsync(Update, [FactName, text, Text], token).ConfigureAwait(false),
            ct).ConfigureAwait(false);
        return moved == 1 ? to with { Text = text } : null;
    }

    private static readonly Statement Select = new("SELECT value FROM installation_facts WHERE name = @0");
    private static readonly Statement Insert = new("INSERT INTO installation_facts (name, value) VALUES (@0, @1) ON CONFLICT (name) DO NOTHING");
    private static readonly Statement Update = new("UPDATE installation_facts SET value = @1 WHERE name = @0 AND value = @2");
}
