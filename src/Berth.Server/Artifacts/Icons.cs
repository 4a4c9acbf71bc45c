using System.Text;
using Berth.Oci;
using Berth.Server.Api;
using Berth.Server.Registry;

namespace Berth.Server.Artifacts;

/// <summary>The picture of each kind of artifact and accessory, drawn here; found by digest, as in Harbor.</summary>
internal static class Icons
{
    private static readonly Dictionary<string, Icon> s_byKind = new(StringComparer.Ordinal)
    {
        [ArtifactKinds.Image] = Draw("#1d63ed", "M8 26h34v6a8 8 0 0 1-8 8H18A12 12 0 0 1 8 30zM12 20h6v5h-6zM20 20h6v5h-6zM28 20h6v5h-6zM20 13h6v5h-6z"),
        [ArtifactKinds.Chart] = Draw("#0f1689", "M25 10a15 15 0 1 0 .1 0zM25 16a9 9 0 1 1-.1 0z"),
        [ArtifactKinds.Cnab] = Draw("#5c6bc0", "M10 16l15-7 15 7v18l-15 7-15-7zM14 19v13l9 4V23zM36 19l-9 4v13l9-4z"),
        [ArtifactKinds.Wasm] = Draw("#654ff0", "M8 10h12a5 5 0 0 0 10 0h12v30H8zM14 22l3 12h3l2-7 2 7h3l3-12h-3l-2 7-2-7h-2l-2 7-2-7z"),
        [ArtifactKinds.Model] = Draw("#00897b", "M12 14a4 4 0 1 0 .1 0zM12 30a4 4 0 1 0 .1 0zM38 22a4 4 0 1 0 .1 0zM15 17l20 8-1 2-20-8zM15 33l20-6-1-2-20 6z"),
        [ArtifactKinds.Sbom] = Draw("#6d4c41", "M13 8h18l6 6v28H13zM18 18h14v3H18zM18 25h14v3H18zM18 32h9v3h-9z"),
        [ArtifactKinds.Signature] = Draw("#2e7d32", "M25 8l14 6v10c0 9-6 15-14 18-8-3-14-9-14-18V14zM22 31l11-11-3-3-8 8-4-4-3 3z"),
        [ArtifactKinds.Attestation] = Draw("#00695c", "M25 8a12 12 0 0 1 6 22v12l-6-4-6 4V30a12 12 0 0 1 6-22zM24 25l7-7-2-2-5 5-3-3-2 2z"),
        [ArtifactKinds.Unknown] = Draw("#757575", "M10 10h30v30H10zM15 15v20h20V15z"),
    };

    private static readonly Dictionary<string, Icon> s_byDigest = s_byKind.Values.ToDictionary(i => i.Digest, StringComparer.Ordinal);

    /// <summary>Digest of the icon of a kind of artifact or accessory.</summary>
    public static string DigestOf(string kind) => (s_byKind.GetValueOrDefault(KindOf(kind)) ?? s_byKind[ArtifactKinds.Unknown]).Digest;

    public static IEnumerable<ApiOperation> Operations() =>
    [
        new("GET", "/icons/{digest}", "getIcon", "icon", ApiNeed.Anybody, GetAsync) { Summary = "Shows an icon.", Answer = typeof(IconJson) },
    ];

    private static Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var digest = call.Route("digest");
        if (!Digest.TryParse(digest, out _)) return Task.FromResult(ApiResult.BadRequest($"invalid digest: {digest}"));
        return Task.FromResult(s_byDigest.TryGetValue(digest, out var icon)
            ? ApiResult.Ok(new IconJson { ContentType = "image/svg+xml", Content = icon.Base64 }, ArtifactsJsonContext.Default.IconJson)
            : ApiResult.NotFound($"the icon {digest} not found"));
    }

    private static string KindOf(string kind) => kind switch
    {
        ArtifactKinds.CosignSignature or ArtifactKinds.NotationSignature => ArtifactKinds.Signature,
        ArtifactKinds.HarborSbom => ArtifactKinds.Sbom,
        ArtifactKinds.InTotoAttestation => ArtifactKinds.Attestation,
        _ => kind,
    };

    private static Icon Draw(string color, string path)
    {
        var svg = Encoding.UTF8.GetBytes(
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 50 50" width="50" height="50"><path fill="{color}" fill-rule="evenodd" d="{path}"/></svg>""");
        return new Icon(Digest.Of(svg).Value, Convert.ToBase64String(svg));
    }

    private sealed record Icon(string Digest, string Base64);
}
