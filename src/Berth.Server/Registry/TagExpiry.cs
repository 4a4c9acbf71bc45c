using System.Globalization;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Immutability;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;

namespace Berth.Server.Registry;

/// <summary>When a tag ends by itself: what a pushed manifest says of it. A tag whose time has come is not there for anybody, and goes a little later.</summary>
internal static class TagExpiry
{
    /// <summary>Annotation of a manifest: how long its tags stay after the push (<c>12h</c>), or until when (RFC 3339).</summary>
    public const string Annotation = "berth.expires-after";

    /// <summary>Label of an image's configuration, or annotation, as Quay knows it: <c>1h</c>, <c>2d</c>, <c>3w</c>.</summary>
    public const string QuayLabel = "quay.expires-after";

    /// <summary>Longest that can be asked for.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    /// <summary>Reads a duration in Quay's form: a whole number and one of <c>s</c>, <c>m</c>, <c>h</c>, <c>d</c>, <c>w</c>.</summary>
    public static bool TryParse(string? text, out TimeSpan span)
    {
        span = default;
        if (text is not { Length: >= 2 and <= 12 } || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return false;
        var seconds = text[^1] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86_400, 'w' => 604_800, _ => 0 };
        if (seconds == 0 || count == 0 || count > (long)Longest.TotalSeconds / seconds) return false;
        span = TimeSpan.FromSeconds(count * seconds);
        return true;
    }

    /// <summary>What keeps a tag from ending by itself: what may not be deleted does not; null: nothing.</summary>
    public static async ValueTask<string?> KeptByAsync(DbSession session, long projectId, string repository, long manifestId, string tag, TagLocks locks, CancellationToken ct)
    {
        if (locks.HasFlag(TagLocks.Delete)) return $"the tag {tag} is locked";
        if (await session.ScalarAsync(SelectArchived, [manifestId], ct).ConfigureAwait(false) is not null) return $"what the tag {tag} points to is archived";
        return await ImmutableTags.IsImmutableAsync(session, projectId, ProjectName.WithoutProject(repository), tag, ct).ConfigureAwait(false) ? $"the tag {tag} is immutable by a rule of the project" : null;
    }

    /// <summary>When something that says this and begins now ends, in Unix milliseconds; null when it cannot be read or is over.</summary>
    public static long? EndOf(string? text, DateTimeOffset now)
    {
        if (TryParse(text, out var span)) return (now + span).ToUnixTimeMilliseconds();
        return text is { Length: >= 10 } && char.IsAsciiDigit(text[0])
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var end) && end > now && end - now <= Longest
            ? end.ToUnixTimeMilliseconds()
            : null;
    }

    /// <summary>When the tags of a manifest that is pushed now end, by its annotations; null for never.</summary>
    /// <param name="document">The manifest.</param>
    /// <param name="now">The time of the push.</param>
    /// <param name="problem">What is to be told of an annotation that cannot be read; null when there is nothing.</param>
    public static long? EndOf(ManifestDocument document, DateTimeOffset now, out string? problem)
    {
        problem = null;
        // Nearly all manifests: a look through a short text.
        if (document.AnnotationsJson is not { } json || !json.Contains("expires-after", StringComparison.Ordinal)) return null;
        using var annotations = JsonDocument.Parse(json);
        foreach (var name in (ReadOnlySpan<string>)[Annotation, QuayLabel])
        {
            if (annotations.RootElement.ValueKind != JsonValueKind.Object || !annotations.RootElement.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String) continue;
            var end = EndOf(value.GetString(), now);
            if (end is null) problem = $"the annotation {name} says neither a duration such as 12h, 2d or 3w nor a time to come: the tag does not expire";
            return end;
        }
        return null;
    }

    private static readonly Statement SelectArchived = new("SELECT 1 FROM manifests WHERE id = @0 AND archive <> 0");
}

/// <summary>What happens to a tag whose end is set, beside the words of every event: operation <c>expire-soon</c>, <c>expire</c> or <c>keep</c> on the resource type <c>tag</c>.</summary>
/// <param name="Repository">Full name of its repository.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">Where it points, or pointed.</param>
/// <param name="ExpiresAt">Its end, Unix milliseconds.</param>
public sealed record TagExpiryDetail(string Repository, string Tag, string Digest, long ExpiresAt)
{
    public const string Soon = "expire-soon";
    public const string Gone = "expire";
}
