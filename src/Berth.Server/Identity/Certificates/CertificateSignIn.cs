using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Berth.Server.Platform.Http;

namespace Berth.Server.Identity.Certificates;

/// <summary>
/// The user name that a client certificate proves. The chain is checked here whatever the listener has checked: a listener that only asks
/// (<c>clientAuth: request</c>) lets any certificate through.
/// </summary>
public sealed class CertificateSignIn : IDisposable
{
    private const string SubjectAlternativeNames = "2.5.29.17";
    private const string CommonName = "2.5.4.3";
    private const int EmailTag = 1;
    private const int DnsTag = 2;
    private const int UriTag = 6;

    private readonly CertificateOptions _options;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly Regex? _pattern;
    private readonly TimeProvider _time;

    /// <summary>Reads the authorities.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="listenerAuthorities">PEM files of <c>http.tls.clientCas</c>, used when the settings name none.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file holds no certificate.</exception>
    /// <exception cref="FormatException">The pattern is malformed.</exception>
    public CertificateSignIn(CertificateOptions options, IReadOnlyList<string> listenerAuthorities, TimeProvider time)
    {
        (_options, _time) = (options, time);
        if (!options.Enabled) return;
        foreach (var file in options.Cas.Count > 0 ? options.Cas : listenerAuthorities) _authorities.AddRange(CertificateAuthorities.Read(file));
        if (options.NamePattern.Length > 0) _pattern = TryPattern(options.NamePattern) ?? throw new FormatException("identity.clientCertificate.namePattern is no regular expression");
    }

    /// <summary>What is wrong with the settings: key within <c>identity.clientCertificate</c> and what to do.</summary>
    public static IEnumerable<(string Key, string Message)> Check(CertificateOptions options, IReadOnlyList<string> listenerAuthorities)
    {
        if (!options.Enabled) yield break;
        if (listenerAuthorities.Count == 0) yield return ("enabled", "needs http.tls.clientCas: without it the listener asks for no certificates");
        if (options.NameFrom.Count == 0) yield return ("nameFrom", "must name at least one place");
        if (options.NamePattern.Length > 0 && TryPattern(options.NamePattern) is null) yield return ("namePattern", "is no regular expression without look-around and back references");
        foreach (var file in options.Cas.Where(f => !File.Exists(f) && !Directory.Exists(f))) yield return ("cas", $"the file {file} does not exist");
    }

    /// <summary>The user name of a certificate; null when it proves none.</summary>
    public string? NameOf(X509Certificate2? certificate)
    {
        if (!_options.Enabled || certificate is null || _authorities.Count == 0) return null;
        if (!ClientCertificates.ComesFrom(_authorities, certificate, null, _time)) return null;
        foreach (var place in _options.NameFrom)
        {
            // Several names in one place do not say who it is.
            if (NamesIn(certificate, place) is [{ } name]) return Usable(name);
        }
        return null;
    }

    public void Dispose()
    {
        foreach (var authority in _authorities) authority.Dispose();
    }

    private string? Usable(string name)
    {
        if (_pattern is not null)
        {
            var match = _pattern.Match(name);
            if (!match.Success || match.Length != name.Length) return null;
            if (match.Groups.Count > 1 && match.Groups[1].Success) name = match.Groups[1].Value;
        }
        return Users.IsName(name) ? name : null;
    }

    private static Regex? TryPattern(string text)
    {
        try
        {
            return new Regex($@"\A(?:{text})\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static IReadOnlyList<string> NamesIn(X509Certificate2 certificate, CertificateNamePlace place)
    {
        try
        {
            return place switch
            {
                CertificateNamePlace.CommonName =>
                    [.. certificate.SubjectName.EnumerateRelativeDistinguishedNames().Where(n => !n.HasMultipleElements && n.GetSingleElementType().Value == CommonName).Select(n => n.GetSingleElementValue()).OfType<string>()],
                CertificateNamePlace.Email => AlternativeNames(certificate, EmailTag),
                CertificateNamePlace.Dns => AlternativeNames(certificate, DnsTag),
                CertificateNamePlace.Uri => AlternativeNames(certificate, UriTag),
                _ => throw new ArgumentOutOfRangeException(nameof(place)),
            };
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            // A name that cannot be read proves nobody.
            return [];
        }
    }

    // RFC 5280 section 4.2.1.6: rfc822Name [1], dNSName [2], uniformResourceIdentifier [6], each an IA5String.
    private static List<string> AlternativeNames(X509Certificate2 certificate, int tag)
    {
        var names = new List<string>();
        if (certificate.Extensions[SubjectAlternativeNames] is not { } extension) return names;
        var reader = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
        while (reader.HasData)
        {
            var found = reader.PeekTag();
            if (found is { TagClass: TagClass.ContextSpecific, IsConstructed: false } && found.TagValue == tag)
                names.Add(reader.ReadCharacterString(UniversalTagNumber.IA5String, found));
            else
                reader.ReadEncodedValue();
        }
        return names;
    }
}
