using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Text;

namespace Berth.Server.Retention;

/// <summary>One line of a simulation or of a run's report.</summary>
public sealed record RetentionLine
{
    /// <summary>Null for an image without a tag.</summary>
    public string? Tag { get; init; }

    public required string Digest { get; init; }

    /// <summary>Whether it goes, or went.</summary>
    public bool Goes { get; init; }

    /// <summary>The rule that decided; null when none did.</summary>
    public string? Rule { get; init; }

    /// <summary>Why, as a sentence.</summary>
    public required string Because { get; init; }

    /// <summary>What decided, as one word for programs: <c>rule</c>, <c>no_rule</c>, <c>rest</c>, <c>protected</c>, <c>archived</c>, <c>in_use</c> or <c>floating</c>; null in reports of older versions.</summary>
    public string? Reason { get; init; }

    /// <summary>More about the reason: the lock that keeps it, the tag that it follows.</summary>
    public string? Detail { get; init; }

    /// <summary>When it goes if nothing is pushed or pulled until then; null when time alone does not make it go.</summary>
    public string? GoesAt { get; init; }
}

/// <summary>Turns decisions into lines for people.</summary>
internal static class RetentionReport
{
    /// <summary>Longest report of a repository in bytes when it is not compressed; lines beyond are left out, counts hold all.</summary>
    private const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>The lines of a plan, in its order.</summary>
    public static IEnumerable<RetentionLine> LinesOf(CompiledRuleSet policy, RepositoryPlan plan)
    {
        foreach (var verdict in plan.Verdicts)
        {
            yield return new RetentionLine
            {
                Tag = verdict.Tag,
                Digest = plan.Facts.Images[verdict.Image].Digest,
                Goes = verdict.Goes,
                Rule = verdict.Rule >= 0 ? policy.Rules[verdict.Rule].Rule.Name : null,
                Because = SentenceOf(policy, verdict),
                Reason = JsonNamingPolicy.SnakeCaseLower.ConvertName(verdict.Reason.ToString()),
                Detail = verdict.Detail,
                GoesAt = verdict.GoesAt is { } at and < MaxTime ? UtcText.Of(at) : null,
            };
        }
    }

    /// <summary>Lines as they are stored.</summary>
    public static byte[] Pack(IEnumerable<RetentionLine> lines)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var written = 0;
            foreach (var line in lines)
            {
                var bytes = JsonSerializer.SerializeToUtf8Bytes(line, RetentionReportJson.Default.RetentionLine);
                if ((written += bytes.Length + 1) > MaxBytes) break;
                gzip.Write(bytes);
                gzip.WriteByte((byte)'\n');
            }
        }
        return packed.ToArray();
    }

    /// <summary>Stored lines.</summary>
    public static IEnumerable<RetentionLine> Unpack(byte[] report)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(report), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line) yield return JsonSerializer.Deserialize(line, RetentionReportJson.Default.RetentionLine)!;
    }

    // The end of the year 9999: an age may reach beyond.
    private const long MaxTime = 253_402_300_799_999;

    private static string SentenceOf(CompiledRuleSet policy, RetentionVerdict verdict) => verdict.Reason switch
    {
        RetentionReason.Rule => $"{(verdict.Goes ? "deleted" : "kept")} by rule {policy.Rules[verdict.Rule].Rule.Name}: {policy.Rules[verdict.Rule].Sentence}",
        RetentionReason.Rest => "no rule keeps it",
        RetentionReason.Protected => $"protected by {verdict.Detail}",
        RetentionReason.Archived => "archived",
        RetentionReason.InUse => "a cluster has used it lately",
        RetentionReason.Floating => $"follows {verdict.Detail}, which is on the same image and stays",
        _ => "no rule lets it go",
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RetentionLine))]
internal sealed partial class RetentionReportJson : JsonSerializerContext;
