using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Ui;

/// <summary>
/// What pages load: a style sheet, a script, an icon. They are inside the program, and their names hold a hash of what they are, so that browsers keep them for
/// good and never mix versions. Read, hashed and compressed at the first page, not at start.
/// </summary>
internal sealed class UiAssets
{
    /// <summary>Path of the route.</summary>
    public const string Route = "/ui/assets/{file}";

    private const string Prefix = "Berth.Server.Ui.Assets.";

    private readonly Lazy<(FrozenDictionary<string, string> Paths, FrozenDictionary<string, Asset> Files)> _all = new(Read);

    /// <summary>The path of a file by its plain name.</summary>
    public string PathOf(string name) => _all.Value.Paths[name];

    /// <summary>Sends a file.</summary>
    public async Task SendAsync(HttpContext context)
    {
        if (!_all.Value.Files.TryGetValue(context.Request.RouteValues["file"] as string ?? "", out var asset))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var accepted = context.Request.Headers.AcceptEncoding.ToString();
        var (bytes, encoding) = accepted.Contains("br", StringComparison.Ordinal) ? (asset.Brotli, "br") : accepted.Contains("gzip", StringComparison.Ordinal) ? (asset.Gzip, "gzip") : (asset.Plain, null);
        var headers = context.Response.Headers;
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        if (encoding is not null) headers.ContentEncoding = encoding;
        context.Response.ContentType = asset.ContentType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static (FrozenDictionary<string, string> Paths, FrozenDictionary<string, Asset> Files) Read()
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new Dictionary<string, Asset>(StringComparer.Ordinal);
        var assembly = typeof(UiAssets).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var plain = new byte[stream.Length];
            stream.ReadExactly(plain);
            var name = resource[Prefix.Length..];
            var extension = Path.GetExtension(name);
            var hashed = $"{Path.GetFileNameWithoutExtension(name)}.{Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 6))}{extension}";
            paths[name] = "/ui/assets/" + hashed;
            files[hashed] = new Asset(plain, Compress(plain, s => new GZipStream(s, CompressionLevel.SmallestSize)), Compress(plain, s => new BrotliStream(s, CompressionLevel.SmallestSize)), TypeOf(extension));
        }
        return (paths.ToFrozenDictionary(StringComparer.Ordinal), files.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static byte[] Compress(byte[] plain, Func<Stream, Stream> open)
    {
        var result = new MemoryStream();
        using (var packed = open(result)) packed.Write(plain);
        return result.ToArray();
    }

    private static string TypeOf(string extension) => extension switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new InvalidOperationException($"no content type is known for assets {extension}"),
    };

    private sealed record Asset(byte[] Plain, byte[] Gzip, byte[] Brotli, string ContentType);
}
