using Berth.Oci;

namespace Berth.Torture.Cluster;

/// <summary>What is known of a manifest or a tag's manifest.</summary>
public enum Presence
{
    /// <summary>Its push was acknowledged, and nothing that takes it away was asked for since.</summary>
    Present,

    /// <summary>Its deletion was acknowledged, or it was never pushed.</summary>
    Absent,

    /// <summary>A request was cut off: it may have been carried out, not at all, or may be carried out yet.</summary>
    InDoubt,
}

/// <summary>A manifest that one client has pushed to one repository; nobody else pushes or deletes it.</summary>
public sealed class ClusterManifest(string repository, string mediaType, byte[] content)
{
    public string Repository => repository;

    public string MediaType => mediaType;

    public byte[] Content => content;

    public Digest Digest { get; } = Digest.Of(content);

    public IReadOnlyList<Bytes> Blobs { get; init; } = [];

    public IReadOnlyList<ClusterManifest> Children { get; init; } = [];

    public ClusterManifest? Subject { get; init; }

    public Presence Presence { get; set; } = Presence.Absent;

    /// <summary>A request about it may be under way for ever: nothing more is done to it, so that what is known stays true.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>When its deletion was acknowledged.</summary>
    public DateTimeOffset DeletedAt { get; set; }

    /// <summary>Its path at the registry.</summary>
    public string Path => $"/v2/{repository}/manifests/{Digest}";

    public override string ToString() => $"{repository}@{Digest}";
}

/// <summary>A tag that one client moves.</summary>
public sealed class ClusterTag(string repository, string name)
{
    public string Repository => repository;

    public string Name => name;

    /// <summary>What it may point to; null for nothing. One answer unless a request was cut off.</summary>
    public HashSet<ClusterManifest?> Possible { get; } = [null];

    /// <summary>Everything that it may ever have pointed to.</summary>
    public HashSet<Digest> History { get; } = [];

    /// <summary>A request about it may be under way for ever: nothing more is done to it.</summary>
    public bool IsFrozen { get; set; }

    public ClusterManifest? Only => Possible.Count == 1 ? Possible.First() : null;

    public string Path => $"/v2/{repository}/manifests/{name}";

    /// <summary>An acknowledged change.</summary>
    public void Set(ClusterManifest? manifest)
    {
        Possible.Clear();
        Possible.Add(manifest);
        if (manifest is not null) History.Add(manifest.Digest);
    }

    /// <summary>A change that may have happened, or may happen yet.</summary>
    public void MayBecome(ClusterManifest? manifest)
    {
        Possible.Add(manifest);
        if (manifest is not null) History.Add(manifest.Digest);
        IsFrozen = true;
    }

    public override string ToString() => $"{repository}:{name}";
}

/// <summary>What one client knows of what it has done: what the registry acknowledged, and what is in doubt.</summary>
public sealed class ClusterModel
{
    /// <summary>Repositories below this project lose manifests without a tag.</summary>
    public const string SweptProject = "swept";

    public List<ClusterManifest> Manifests { get; } = [];

    public List<ClusterTag> Tags { get; } = [];

    /// <summary>Whether the registry has to have it: it was acknowledged, was not let go of, and its project keeps such.</summary>
    public bool MustBeThere(ClusterManifest manifest)
    {
        if (manifest.Presence != Presence.Present) return false;
        if (!IsSwept(manifest.Repository)) return true;
        return Tags.Any(t => t.Only == manifest) || IsHeld(manifest);
    }

    /// <summary>Whether nothing may be done to it that an index, or a request in doubt, does not allow.</summary>
    public bool MayDelete(ClusterManifest manifest) => !manifest.IsFrozen && !Manifests.Any(m => m.Presence != Presence.Absent && m.Children.Contains(manifest));

    /// <summary>A push to a tag that was acknowledged, or, without one, by digest.</summary>
    public static void Pushed(ClusterManifest manifest, ClusterTag? tag, bool isPending)
    {
        manifest.Presence = Presence.Present;
        tag?.Set(manifest);
        if (!isPending) return;
        // An earlier try of the same request may still be carried out.
        manifest.IsFrozen = true;
        if (tag is not null) tag.IsFrozen = true;
    }

    /// <summary>A push that was cut off.</summary>
    public static void PushInDoubt(ClusterManifest manifest, ClusterTag? tag)
    {
        if (manifest.Presence == Presence.Absent) manifest.Presence = Presence.InDoubt;
        manifest.IsFrozen = true;
        tag?.MayBecome(manifest);
    }

    /// <summary>A deletion by digest that was acknowledged.</summary>
    public void Deleted(ClusterManifest manifest, bool isPending, DateTimeOffset now)
    {
        manifest.Presence = Presence.Absent;
        manifest.DeletedAt = now;
        manifest.IsFrozen |= isPending;
        foreach (var tag in Tags.Where(t => t.Possible.Remove(manifest))) tag.Possible.Add(null);
    }

    /// <summary>A deletion by digest that was cut off.</summary>
    public void DeleteInDoubt(ClusterManifest manifest)
    {
        manifest.Presence = Presence.InDoubt;
        manifest.IsFrozen = true;
        foreach (var tag in Tags.Where(t => t.Possible.Contains(manifest))) tag.MayBecome(null);
    }

    private bool IsHeld(ClusterManifest manifest) =>
        (manifest.Subject is { } subject && MustBeThere(subject)) || Manifests.Any(m => m.Children.Contains(manifest) && MustBeThere(m));

    public static bool IsSwept(string repository) => repository.StartsWith(SweptProject + "/", StringComparison.Ordinal);
}
