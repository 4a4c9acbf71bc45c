using System.Collections.Concurrent;
using System.Text;
using Berth.Server.Platform.Secrets;
using Berth.Server.Scanning.Adapters;

namespace Berth.Server.Scanning.Scanners;

/// <summary>What the scanners that were entered say of themselves, asked again once in a while; and their credentials in clear, for asking them.</summary>
internal sealed class ScannerDirectory(IEnumerable<IOutsideScanner> kinds, InstallationSecret secret, TimeProvider time)
{
    private const string Purpose = "scanner";
    private const int MaxRemembered = 1000;

    private static readonly TimeSpan s_believed = TimeSpan.FromMinutes(1);

    // People wait for lists: a scanner that does not answer must not hold them up.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, IOutsideScanner> _kinds = kinds.ToDictionary(static one => one.Kind, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Id, long UpdatedAt), (ScannerDescription Description, long At)> _known = new();

    /// <summary>How scanners of a kind are asked.</summary>
    public IOutsideScanner Of(string kind) => _kinds.TryGetValue(kind, out var one) ? one : throw new InvalidOperationException($"there are no scanners of the kind {kind}");

    /// <summary>Where a scanner is and how it is asked.</summary>
    public ScannerEndpoint EndpointOf(ScannerRegistration scanner) => new(scanner.Kind, scanner.Url, scanner.Auth, CredentialOf(scanner), scanner.SkipCertVerify);

    /// <summary>The credential in clear; empty for none.</summary>
    public string CredentialOf(ScannerRegistration? scanner) => scanner?.Credential is { } sealedText ? Encoding.UTF8.GetString(secret.Decrypt(sealedText, Purpose)) : "";

    /// <summary>A credential as it is kept.</summary>
    public byte[]? Seal(string credential) => credential.Length == 0 ? null : secret.Encrypt(Encoding.UTF8.GetBytes(credential), Purpose);

    /// <summary>Asks a scanner what it is, whoever has entered it.</summary>
    public Task<ScannerDescription> AskAsync(ScannerEndpoint endpoint, CancellationToken ct) => Of(endpoint.Kind).DescribeAsync(endpoint, null, ct);

    /// <summary>What a scanner says of itself, a minute old at most; a failure is asked again each time.</summary>
    public async Task<ScannerDescription> DescribeAsync(ScannerRegistration scanner, bool isHurried, CancellationToken ct)
    {
        var key = (scanner.Id, scanner.UpdatedAt);
        if (_known.TryGetValue(key, out var known) && time.GetElapsedTime(known.At) < s_believed) return known.Description;
        var description = await Of(scanner.Kind).DescribeAsync(EndpointOf(scanner), isHurried ? s_patience : null, ct).ConfigureAwait(false);
        if (_known.Count >= MaxRemembered) _known.Clear();
        if (description.Metadata is not null) _known[key] = (description, time.GetTimestamp());
        else _known.TryRemove(key, out _);
        return description;
    }
}
