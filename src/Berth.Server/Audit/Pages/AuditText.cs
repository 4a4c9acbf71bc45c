using System.Text.RegularExpressions;

namespace Berth.Server.Audit.Pages;

/// <summary>Texts of the audit log as a table shows them.</summary>
internal static partial class AuditText
{
    /// <summary>With digests as people compare them, by their beginning; the whole text is beside it.</summary>
    public static string Short(string? text) => text is null ? "" : LongDigest().Replace(text, "$1…");

    [GeneratedRegex("(sha(?:256|512):[0-9a-f]{12})[0-9a-f]{20,}", RegexOptions.CultureInvariant)]
    private static partial Regex LongDigest();
}
