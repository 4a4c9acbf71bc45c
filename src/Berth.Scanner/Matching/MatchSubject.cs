using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>What is judged: the packages of one image (or file system) and what their meaning depends on.</summary>
public sealed record MatchSubject
{
    /// <summary>Null when there are no packages of a distribution.</summary>
    public Distribution? Distribution { get; init; }

    public IReadOnlyList<Package> Packages { get; init; } = [];

    /// <summary>Release in Alpine's <c>etc/apk/repositories</c> (<c>3.19</c>, <c>edge</c>), which wins over the distribution's; empty when unknown.</summary>
    public string RepositoryRelease { get; init; } = "";

    /// <summary>Red Hat: content sets that the image was built from; null when it does not say.</summary>
    public IReadOnlyList<string>? ContentSets { get; init; }

    /// <summary>Red Hat: name-version-release-architecture of the image; empty when it does not say.</summary>
    public string Nvr { get; init; } = "";

    /// <summary>What an image is judged by: one subject, or for Red Hat one for each set of layers that were built from the same content sets.</summary>
    public static IReadOnlyList<MatchSubject> Of(ImageInventory image)
    {
        var subject = new MatchSubject { Distribution = image.Distribution, Packages = image.Packages, RepositoryRelease = image.RepositoryRelease };
        if (image.Builds.Count == 0) return [subject];
        return [.. image.Packages.GroupBy(package => image.Builds.GetValueOrDefault(package.Layer), ReferenceEqualityComparer.Instance)
            .Select(group => subject with { Packages = [.. group], ContentSets = (group.Key as RedHatFacts)?.ContentSets, Nvr = (group.Key as RedHatFacts)?.Nvr ?? "" })];
    }
}

/// <summary>How to judge.</summary>
public sealed record MatchOptions
{
    /// <summary>Sources of the severity, the first that has one wins; <c>auto</c> stands for the choice by the source of the advisory.</summary>
    public IReadOnlyList<string> SeveritySources { get; init; } = ["auto"];

    /// <summary>Whether findings that are one flaw by their aliases become one, under its CVE.</summary>
    public bool JoinAliases { get; init; }
}
