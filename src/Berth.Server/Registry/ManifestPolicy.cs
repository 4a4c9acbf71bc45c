using System.Text.RegularExpressions;
using Berth.Oci;

namespace Berth.Server.Registry;

/// <summary>What the settings allow in manifests: media types, repository classes, addresses of foreign layers, platforms of an index.</summary>
internal sealed class ManifestPolicy
{
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(100);

    private readonly RegistryOptions _options;
    private readonly bool _acceptsAnyType;
    private readonly Regex[] _allowUrls;
    private readonly Regex[] _denyUrls;

    public ManifestPolicy(RegistryOptions options)
    {
        _options = options;
        _acceptsAnyType = options.ManifestMediaTypes.Contains("*");
        _allowUrls = [.. options.ManifestUrlAllow.Select(Compile)];
        _denyUrls = [.. options.ManifestUrlDeny.Select(Compile)];
    }

    /// <summary>What is wrong with a manifest; empty when nothing is.</summary>
    public string Check(ManifestDocument document)
    {
        if (!MediaTypes.IsKnownManifest(document.MediaType) && !_acceptsAnyType && !_options.ManifestMediaTypes.Contains(document.MediaType))
            return $"media type {document.MediaType} is not accepted: see registry.manifestMediaTypes";
        if (_options.RepositoryClasses.Count > 0 && document.Config is { } config && !_options.RepositoryClasses.Contains(ClassOf(config.MediaType)))
            return $"content of type {config.MediaType} is not allowed: see registry.repositoryClasses";
        foreach (var layer in document.Layers)
        {
            foreach (var url in layer.Urls)
            {
                if (UrlError(url) is { } error) return error;
            }
        }
        return "";
    }

    /// <summary>Whether a layer must be in the repository.</summary>
    public static bool MustExist(Descriptor layer) => !MediaTypes.IsNonDistributable(layer.MediaType);

    /// <summary>Whether an entry of an index must be in the repository.</summary>
    public bool MustExistInIndex(Descriptor entry) => _options.IndexPlatforms switch
    {
        IndexPlatforms.None => false,
        IndexPlatforms.List => _options.IndexPlatformList.Contains($"{entry.Os}/{entry.Architecture}"),
        _ => true,
    };

    private string? UrlError(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Fragment.Length > 0)
            return $"layer address is not a plain http or https URL: {url}";
        if (_allowUrls.Length > 0 && !Array.Exists(_allowUrls, r => r.IsMatch(url))) return $"layer address is not allowed: {url}";
        return Array.Exists(_denyUrls, r => r.IsMatch(url)) ? $"layer address is denied: {url}" : null;
    }

    // The classes that Docker Registry's policy knows.
    private static string ClassOf(string configType) => configType switch
    {
        "application/vnd.docker.container.image.v1+json" or MediaTypes.OciConfig => "image",
        "application/vnd.docker.plugin.v1+json" => "plugin",
        _ => configType,
    };

    private static Regex Compile(string pattern) => new(pattern, RegexOptions.CultureInvariant, MatchTimeout);
}
