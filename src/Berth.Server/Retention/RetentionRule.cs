using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Server.Retention;

/// <summary>Writes the values of an enum as words: <c>first_selection</c>.</summary>
internal sealed class WordConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>What a rule does with what it selects.</summary>
[JsonConverter(typeof(WordConverter<RetentionAction>))]
internal enum RetentionAction
{
    Keep,
    Delete,
}

/// <summary>What a policy decides about.</summary>
[JsonConverter(typeof(WordConverter<RetentionUnit>))]
internal enum RetentionUnit
{
    /// <summary>Each tag by itself: a tag that goes loses only itself, and its image goes with its last tag.</summary>
    Tag,

    /// <summary>An image with all its tags.</summary>
    Image,
}

/// <summary>Which rule decides.</summary>
[JsonConverter(typeof(WordConverter<RetentionPrecedence>))]
internal enum RetentionPrecedence
{
    /// <summary>Whatever one rule keeps stays, in whatever order they stand.</summary>
    KeepBeatsDelete,

    /// <summary>The first rule that selects something decides about it, whether its conditions hold or not (ECR).</summary>
    FirstSelection,
}

/// <summary>Which images a rule is about, by whether they have tags.</summary>
[JsonConverter(typeof(WordConverter<TagState>))]
internal enum TagState
{
    Any,
    Tagged,
    Untagged,
}

/// <summary>What is counted or compared in time.</summary>
[JsonConverter(typeof(WordConverter<RetentionClock>))]
internal enum RetentionClock
{
    /// <summary>The last push of the image or of one of its tags.</summary>
    Pushed,

    /// <summary>The last pull, by tag or digest, of the image or of one that it lists; never pulled is long ago.</summary>
    Pulled,

    /// <summary>The later of both.</summary>
    Active,

    /// <summary>The first push.</summary>
    Created,
}

/// <summary>Which versions are counted together.</summary>
[JsonConverter(typeof(WordConverter<VersionLine>))]
internal enum VersionLine
{
    All,
    Major,
    Minor,
}

/// <summary>What a <see cref="RetentionCondition"/> asks.</summary>
[JsonConverter(typeof(WordConverter<ConditionKind>))]
internal enum ConditionKind
{
    /// <summary>Among the newest so many of what the rule selects in a repository.</summary>
    Newest,

    /// <summary>Not longer ago than an age.</summary>
    Within,

    /// <summary>Among the newest so many versions of its line, by semantic version. What has no version is not.</summary>
    NewestVersions,

    /// <summary>Used by a cluster not longer ago than an age.</summary>
    InUse,
}

/// <summary>One condition of a rule.</summary>
internal sealed record RetentionCondition
{
    public required ConditionKind Kind { get; init; }

    /// <summary>It must not hold.</summary>
    public bool IsNegated { get; init; }

    /// <summary>For those that count.</summary>
    public int Count { get; init; }

    /// <summary>For those that compare with now.</summary>
    public TimeSpan Age { get; init; }

    public RetentionClock By { get; init; }

    public VersionLine Per { get; init; }

    /// <summary>Where tags are decided about: tags of one image count as one.</summary>
    public bool CountsImages { get; init; }

    /// <summary>Only what meets the rule's other conditions is counted.</summary>
    public bool CountsMatching { get; init; }

    /// <summary>Among the newest so many.</summary>
    public static RetentionCondition Newest(int count, RetentionClock by = RetentionClock.Pushed) => new() { Kind = ConditionKind.Newest, Count = count, By = by };

    /// <summary>Not longer ago than an age.</summary>
    public static RetentionCondition Within(TimeSpan age, RetentionClock by = RetentionClock.Pushed) => new() { Kind = ConditionKind.Within, Age = age, By = by };

    /// <summary>Among the newest so many versions of each line.</summary>
    public static RetentionCondition Versions(int count, VersionLine per) => new() { Kind = ConditionKind.NewestVersions, Count = count, Per = per };

    /// <summary>Used by a cluster not longer ago than an age.</summary>
    public static RetentionCondition Used(TimeSpan age) => new() { Kind = ConditionKind.InUse, Age = age };

    /// <summary>The opposite.</summary>
    public RetentionCondition Not() => this with { IsNegated = !IsNegated };

    /// <summary>As people read it.</summary>
    public override string ToString() => Kind switch
    {
        ConditionKind.Newest => $"{(IsNegated ? "not " : "")}among the {Count} most recently {WordOf(By)}",
        ConditionKind.Within when By == RetentionClock.Pulled => IsNegated ? $"not pulled for {TextOf(Age)}" : $"pulled within {TextOf(Age)}",
        ConditionKind.Within => IsNegated ? $"{WordOf(By)} more than {TextOf(Age)} ago" : $"{WordOf(By)} within {TextOf(Age)}",
        ConditionKind.NewestVersions => $"{(IsNegated ? "not " : "")}among the {Count} newest versions{Per switch { VersionLine.Major => " of its major version", VersionLine.Minor => " of its minor version", _ => "" }}",
        _ => IsNegated ? $"not used by a cluster for {TextOf(Age)}" : $"used by a cluster within {TextOf(Age)}",
    };

    private static string WordOf(RetentionClock clock) => clock switch
    {
        RetentionClock.Pushed => "pushed",
        RetentionClock.Pulled => "pulled",
        RetentionClock.Created => "created",
        _ => "pushed or pulled",
    };

    private static string TextOf(TimeSpan age) => age.TotalDays >= 1 && age == TimeSpan.FromDays(Math.Floor(age.TotalDays))
        ? $"{age.TotalDays:0} {(age.TotalDays is 1 ? "day" : "days")}"
        : age.ToString("c", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What a rule is about. Empty lists select everything; within a list one match is enough.</summary>
internal sealed record RetentionSelection
{
    /// <summary>Over names of repositories, as the policy's level sees them: within the project, or whole for a policy of the registry.</summary>
    public IReadOnlyList<NamePattern> Repositories { get; init; } = [];

    /// <summary>Over the same names: none of these.</summary>
    public IReadOnlyList<NamePattern> NotRepositories { get; init; } = [];

    /// <summary>Over tags. What has no tag is selected by <see cref="State"/> alone.</summary>
    public IReadOnlyList<NamePattern> Tags { get; init; } = [];

    /// <summary>Each pattern of <see cref="Tags"/> must match a tag of the image.</summary>
    public bool AllTags { get; init; }

    public TagState State { get; init; } = TagState.Tagged;

    /// <summary>Over names of labels: one label that matches is enough; a negated one means that no label matches.</summary>
    public IReadOnlyList<NamePattern> Labels { get; init; } = [];

    /// <summary>Over kinds (<c>IMAGE</c>, <c>CHART</c> …) and artifact types.</summary>
    public IReadOnlyList<NamePattern> Types { get; init; } = [];

    /// <summary>Over digests.</summary>
    public IReadOnlyList<NamePattern> Digests { get; init; } = [];

    /// <summary>Over paths such as <c>v2/app/manifests/1.0</c> (Nexus).</summary>
    public IReadOnlyList<NamePattern> Paths { get; init; } = [];
}

/// <summary>One rule: what it selects, under which conditions, and what becomes of it.</summary>
internal sealed record RetentionRule
{
    /// <summary>For people; results name it.</summary>
    public required string Name { get; init; }

    public RetentionAction Action { get; init; }

    /// <summary>A remark for people; it decides nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The number that other systems give it; rules are read in their order in the list.</summary>
    public int Priority { get; init; }

    public bool IsDisabled { get; init; }

    public RetentionSelection Selection { get; init; } = new();

    /// <summary>Without any, the rule holds for all that it selects.</summary>
    public IReadOnlyList<RetentionCondition> Conditions { get; init; } = [];

    /// <summary>One condition is enough; else all must hold.</summary>
    public bool AnyCondition { get; init; }

    /// <summary>The conditions as people read them.</summary>
    public string Describe() => Conditions.Count == 0 ? "always" : string.Join(AnyCondition ? " or " : " and ", Conditions);
}

/// <summary>The rules of one policy and how they are read together.</summary>
internal sealed record RetentionRuleSet
{
    /// <summary>Most rules.</summary>
    public const int MaxRules = 100;

    public IReadOnlyList<RetentionRule> Rules { get; init; } = [];

    public RetentionUnit Unit { get; init; }

    public RetentionPrecedence Precedence { get; init; }

    /// <summary>In repositories that a rule is about, what no rule keeps goes. A repository that no rule is about is left alone.</summary>
    public bool RestGoes { get; init; }

    /// <summary>A floating tag (<c>v1</c>, <c>latest</c>) stays while another tag of its image does.</summary>
    public bool FloatingFollows { get; init; }

    /// <summary>An image that loses its last tag stays, without one.</summary>
    public bool LeavesUntagged { get; init; }

    /// <summary>What a cluster has used within this time stays, whatever the rules say; zero: nothing stays for that.</summary>
    public TimeSpan KeepsUsed { get; init; } = TimeSpan.FromDays(7);
}
