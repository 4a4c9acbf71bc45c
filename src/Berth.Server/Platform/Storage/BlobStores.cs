using Berth.Blobs;
using Berth.Blobs.Encryption.Keys;
using Berth.Oci;
using Berth.Server.Platform.Text;

namespace Berth.Server.Platform.Storage;

/// <summary>
/// The blob stores of the installation by name. New content goes to the default one, or to the one that a rule names for its project; content that is there
/// is found by the name that its row has.
/// </summary>
public sealed class BlobStores : IDisposable
{
    /// <summary>Name of the store that the section <c>storage</c> itself describes, unless it says another.</summary>
    public const string DefaultName = "default";

    private readonly Dictionary<string, IBlobStore> _stores;
    private readonly IReadOnlyList<StoreRule> _rules;

    /// <summary>Takes ownership of stores.</summary>
    /// <param name="stores">By name.</param>
    /// <param name="defaultName">One of them.</param>
    /// <param name="rules">Which projects go elsewhere; the first that fits counts.</param>
    /// <param name="keys">Keys of encrypted content; null where there is none.</param>
    public BlobStores(IReadOnlyDictionary<string, IBlobStore> stores, string defaultName, IReadOnlyList<StoreRule> rules, DataKeys? keys = null)
    {
        Keys = keys;
        _stores = new Dictionary<string, IBlobStore>(stores, StringComparer.Ordinal);
        _rules = rules;
        Default = defaultName;
    }

    /// <summary>Name of the default store.</summary>
    public string Default { get; }

    /// <summary>Keys of encrypted content; null where there is none.</summary>
    public DataKeys? Keys { get; }

    /// <summary>Names of all stores.</summary>
    public IReadOnlyCollection<string> Names => _stores.Keys;

    /// <summary>A store by name.</summary>
    /// <exception cref="StoreUnavailableException">The settings have none of that name.</exception>
    public IBlobStore this[string name] => _stores.TryGetValue(name, out var store)
        ? store
        : throw new StoreUnavailableException($"the blob store {name} holds content and is not in the settings: add it to storage.stores again");

    /// <summary>Whether there is a store of that name.</summary>
    public bool Has(string name) => _stores.ContainsKey(name);

    /// <summary>Name of the store that new content of a project goes to.</summary>
    public string NameFor(string project)
    {
        foreach (var rule in _rules)
        {
            if (rule.Fits(project)) return rule.Store;
        }
        return Default;
    }

    /// <summary>The place of content in its store.</summary>
    public ValueTask<IBlobReader?> OpenReadAsync(BlobLocation location, Digest digest, long offset, CancellationToken ct) =>
        this[location.Store].OpenReadAsync(location.PlaceOf(digest), offset, ct);

    public void Dispose()
    {
        foreach (var store in _stores.Values) (store as IDisposable)?.Dispose();
        Keys?.Dispose();
    }
}

/// <summary>Sends new content of some projects to a store.</summary>
public sealed class StoreRule(string projects, string store)
{
    private readonly Glob _projects = Glob.Parse(projects);

    /// <summary>Name of the store.</summary>
    public string Store { get; } = store;

    /// <summary>Whether it is about a project.</summary>
    public bool Fits(string project) => _projects.IsMatch(project);
}

/// <summary>Where content lies, as a row of <c>blobs</c> says.</summary>
/// <param name="Store">Name of the store.</param>
/// <param name="Key">Key within the store; null where the digest says the path.</param>
public readonly record struct BlobLocation(string Store, string? Key)
{
    /// <summary>The place within the store.</summary>
    public BlobPlace PlaceOf(Digest digest) => new(digest, Key);
}
