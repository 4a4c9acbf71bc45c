using Berth.Server.Retention;
using Berth.Server.Retention.Dialects;

namespace Berth.Server.Tests.Retention;

/// <summary>A repository put together line by line; times are days before now.</summary>
internal sealed class FactsBuilder(string name = "app")
{
    public static readonly long Now = new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private readonly List<ImageFacts> _images = [];
    private readonly List<TagFacts> _tags = [];

    public int Count => _images.Count;

    /// <summary>An image with tags; its position.</summary>
    public int Image(double pushed, string tags = "", double? pulled = null, double? used = null, int[]? children = null, int subject = -1, string[]? labels = null,
        string kind = "IMAGE", bool isArchived = false, string? digest = null, string? keptBy = null)
    {
        var position = _images.Count;
        _images.Add(new ImageFacts
        {
            Id = position + 1,
            Digest = digest ?? $"sha256:{position:x64}",
            Kind = kind,
            PushedAt = At(pushed),
            CreatedAt = At(pushed),
            PulledAt = pulled is { } p ? At(p) : 0,
            UsedAt = used is { } u ? At(u) : 0,
            Children = children ?? [],
            Subject = subject,
            Labels = labels ?? [],
            IsArchived = isArchived,
        });
        foreach (var tag in tags.Split(' ', StringSplitOptions.RemoveEmptyEntries)) _tags.Add(new TagFacts { Name = tag, Image = position, UpdatedAt = At(pushed), KeptBy = keptBy });
        return position;
    }

    public RepositoryFacts Facts => new(name, _images, _tags);

    public static long At(double daysAgo) => Now - (long)TimeSpan.FromDays(daysAgo).TotalMilliseconds;

    /// <summary>What becomes of the repository.</summary>
    public RepositoryPlan Decide(RetentionRuleSet set)
    {
        Assert.True(CompiledRuleSet.TryCreate(set, out var compiled, out var problems), string.Join("; ", problems));
        return RetentionRules.Decide(compiled, Facts, Now);
    }

    /// <summary>Names of the tags that go, and positions of images without a tag that do.</summary>
    public string Going(RetentionRuleSet set) => string.Join(' ', Decide(set).Verdicts.Where(v => v.Goes).Select(v => v.Tag ?? $"#{v.Image}"));

    /// <summary>The same by a policy of another system.</summary>
    public string Going(string dialect, string text)
    {
        var reading = RetentionDialects.Read(dialect, text)!;
        Assert.True(reading.Rules is not null, string.Join("; ", reading.Problems));
        return Going(reading.Rules);
    }
}
