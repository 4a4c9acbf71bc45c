using System.Net;
using Berth.Blobs;
using Berth.Blobs.Encryption.Keys;
using Berth.Server.Platform.Text;

namespace Berth.Server.Platform.Storage;

/// <summary>What must hold between the settings of blob stores.</summary>
internal static class StoreRules
{
    private const int MaxNameLength = 64;

    /// <summary>Tells everything that is wrong.</summary>
    /// <param name="storage">Section <c>storage</c>.</param>
    /// <param name="add">Gets the key, what is wrong, and a key whose place is named when the first is nowhere.</param>
    public static void Check(BlobStoreOptions storage, Action<string, string, string?> add)
    {
        var remotes = new object?[] { storage.S3, storage.Azure, storage.Gcs, storage.Swift };
        if (remotes.Count(r => r is not null) > 1) add("storage", "names more than one of s3, azure, gcs and swift: keep one, and put the others into storage.stores", null);
        if (storage.Root is not null && remotes.Any(r => r is not null)) add("storage.root", "is for a store in a folder, and an object store is set: keep one of them", null);
        Check(storage.S3?.Validate(), "storage.s3", add);
        Check(storage.CloudFront?.Validate(), "storage.cloudFront", add);
        if (storage.CloudFront is not null && storage.S3 is null) add("storage.cloudFront", "stands before a bucket of S3: set storage.s3 too", null);
        Check(storage.Azure?.Validate(), "storage.azure", add);
        Check(storage.Gcs?.Validate(), "storage.gcs", add);
        Check(storage.Swift?.Validate(), "storage.swift", add);
        foreach (var problem in MasterKeys.Check(storage.Encryption)) add("storage.encryption", problem, null);
        if (storage.Redirect.MinBytes < 0) add("storage.redirect.minBytes", "must be 0 or more", null);
        if (storage.Redirect.Lifetime < TimeSpan.FromSeconds(10)) add("storage.redirect.lifetime", "must be 10s or more", null);
        foreach (var (key, networks) in new[] { ("storage.redirect.networks", storage.Redirect.Networks), ("storage.redirect.exceptNetworks", storage.Redirect.ExceptNetworks) })
        {
            if (networks.FirstOrDefault(network => !IPNetwork.TryParse(network, out _)) is { } wrong) add(key, $"\"{wrong}\" must be a network such as 10.0.0.0/8", null);
        }
        var names = CheckFurther(storage, add);
        for (var i = 0; i < storage.Rules.Count; i++)
        {
            if (!Glob.TryParse(storage.Rules[i].Projects, out _, out var problem)) add($"storage.rules[{i}].projects", problem, "storage.rules");
            if (!names.Contains(storage.Rules[i].Store)) add($"storage.rules[{i}].store", $"there is no store \"{storage.Rules[i].Store}\" in storage.stores", "storage.rules");
        }
    }

    private static HashSet<string> CheckFurther(BlobStoreOptions storage, Action<string, string, string?> add)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { BlobStores.DefaultName };
        for (var i = 0; i < storage.Stores.Count; i++)
        {
            var (store, key) = (storage.Stores[i], $"storage.stores[{i}]");
            if (store.Name.Length is 0 or > MaxNameLength || store.Name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
                add($"{key}.name", "must be of small letters, digits and hyphens", "storage.stores");
            else if (!names.Add(store.Name)) add($"{key}.name", $"there is another store {store.Name}", "storage.stores");
            if (new object?[] { store.Root, store.S3, store.Azure, store.Gcs, store.Swift }.Count(kind => kind is not null) != 1) add(key, "must have exactly one of root, s3, azure, gcs and swift", "storage.stores");
            Check(store.S3?.Validate(), $"{key}.s3", add);
            Check(store.CloudFront?.Validate(), $"{key}.cloudFront", add);
            Check(store.Azure?.Validate(), $"{key}.azure", add);
            Check(store.Gcs?.Validate(), $"{key}.gcs", add);
            Check(store.Swift?.Validate(), $"{key}.swift", add);
        }
        return names;
    }

    private static void Check(IEnumerable<(string Setting, string Problem)>? problems, string key, Action<string, string, string?> add)
    {
        foreach (var (setting, problem) in problems ?? []) add($"{key}.{char.ToLowerInvariant(setting[0])}{setting[1..]}", problem, "storage");
    }
}
