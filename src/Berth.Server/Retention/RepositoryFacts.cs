namespace Berth.Server.Retention;

/// <summary>A manifest as rules see it. Times are Unix milliseconds, 0 for never.</summary>
internal sealed record ImageFacts
{
    public required long Id { get; init; }

    public required string Digest { get; init; }

    /// <summary><c>IMAGE</c>, <c>CHART</c> …</summary>
    public string Kind { get; init; } = "IMAGE";

    public string? ArtifactType { get; init; }

    public long PushedAt { get; init; }

    public long CreatedAt { get; init; }

    public long PulledAt { get; init; }

    /// <summary>When a cluster last pulled it.</summary>
    public long UsedAt { get; init; }

    /// <summary>Positions of the manifests that it lists and that are there.</summary>
    public IReadOnlyList<int> Children { get; init; } = [];

    /// <summary>Position of the manifest that it is about and that is there; -1 for none.</summary>
    public int Subject { get; init; } = -1;

    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Set aside by hand: it stays.</summary>
    public bool IsArchived { get; init; }
}

/// <summary>A tag as rules see it, without those that only help to find what belongs to another manifest.</summary>
internal sealed record TagFacts
{
    public required string Name { get; init; }

    /// <summary>Position of its manifest.</summary>
    public required int Image { get; init; }

    public long UpdatedAt { get; init; }

    public long PulledAt { get; init; }

    /// <summary>A lock or rule of the project keeps it from being deleted; null: none does.</summary>
    public string? KeptBy { get; init; }
}

/// <summary>All that rules know of one repository.</summary>
/// <param name="Name">As the policy's level sees it.</param>
/// <param name="Images">Its manifests.</param>
/// <param name="Tags">Its tags.</param>
internal sealed record RepositoryFacts(string Name, IReadOnlyList<ImageFacts> Images, IReadOnlyList<TagFacts> Tags);
