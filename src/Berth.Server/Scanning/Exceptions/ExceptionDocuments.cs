using System.Globalization;
using System.Text;
using System.Text.Json;
using Berth.Scanner.Exceptions;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>A document as it is asked, and how many statements or rules it has.</summary>
internal sealed record ExceptionDocument(IExceptionSource Source, int Entries);

/// <summary>Reads documents of exceptions: strictly when they are brought, so that nobody believes in a rule that is none.</summary>
internal static class ExceptionDocuments
{
    public const int MaxBytes = 512 * 1024;
    public const int MaxEntries = 10_000;

    private static readonly string[] s_statuses = ["not_affected", "affected", "fixed", "under_investigation"];

    /// <summary>The word of a kind in the API.</summary>
    public static string WordOf(ExceptionKind kind) => kind switch
    {
        ExceptionKind.OpenVex => "openvex",
        ExceptionKind.CycloneDxVex => "cyclonedx",
        ExceptionKind.TrivyIgnore => "trivyignore",
        ExceptionKind.TrivyIgnoreYaml => "trivyignore-yaml",
        _ => "allowlist",
    };

    /// <summary>The kind of a word; null when it is none that can be brought.</summary>
    public static ExceptionKind? KindOf(string? word) => word switch
    {
        "openvex" => ExceptionKind.OpenVex,
        "cyclonedx" => ExceptionKind.CycloneDxVex,
        "trivyignore" => ExceptionKind.TrivyIgnore,
        "trivyignore-yaml" => ExceptionKind.TrivyIgnoreYaml,
        _ => null,
    };

    /// <summary>Reads a document that is kept already.</summary>
    /// <exception cref="FormatException">It cannot be read.</exception>
    public static IExceptionSource Read(ExceptionKind kind, string name, ReadOnlyMemory<byte> content) => kind switch
    {
        ExceptionKind.OpenVex => OpenVexDocument.Parse(content, name),
        ExceptionKind.CycloneDxVex => CycloneDxVex.Parse(content, name),
        ExceptionKind.TrivyIgnore => TrivyIgnoreFile.Parse(".trivyignore", content.Span),
        ExceptionKind.TrivyIgnoreYaml => TrivyIgnoreFile.Parse(".trivyignore.yaml", content.Span),
        _ => throw new FormatException($"{kind} is no document"),
    };

    /// <summary>Reads a document that somebody brings.</summary>
    /// <exception cref="FormatException">What is wrong with it, with the line where that is known.</exception>
    public static ExceptionDocument Check(ExceptionKind kind, string name, byte[] content)
    {
        if (content.Length > MaxBytes) throw new FormatException($"the document has {content.Length} bytes, up to {MaxBytes} are taken");
        try
        {
            var entries = kind switch
            {
                ExceptionKind.OpenVex => CheckOpenVex(content),
                ExceptionKind.CycloneDxVex => CountAnalyses(content),
                ExceptionKind.TrivyIgnore => CheckLines(Encoding.UTF8.GetString(content)),
                _ => -1,
            };
            var source = Read(kind, name, content);
            if (source is TrivyIgnoreFile { } file && kind == ExceptionKind.TrivyIgnoreYaml) entries = file.Count;
            return entries switch
            {
                0 => throw new FormatException("the document says nothing about any vulnerability"),
                > MaxEntries => throw new FormatException($"the document has {entries} entries, up to {MaxEntries} are taken"),
                _ => new ExceptionDocument(source, entries),
            };
        }
        catch (JsonException e)
        {
            throw new FormatException($"line {e.LineNumber + 1}: this is no JSON", e);
        }
        catch (FormatException e) when (e.InnerException is JsonException inner)
        {
            throw new FormatException($"line {inner.LineNumber + 1}: {e.Message}", e);
        }
    }

    // OpenVEX 0.2, "Statement": a vulnerability, products and one of four statuses.
    private static int CheckOpenVex(byte[] content)
    {
        using var document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 64 });
        var root = document.RootElement;
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("predicate", out var predicate)) root = predicate;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("statements", out var statements) || statements.ValueKind != JsonValueKind.Array)
            throw new FormatException("this is no OpenVEX document: it has no statements");
        var number = 0;
        foreach (var statement in statements.EnumerateArray())
        {
            number++;
            if (statement.ValueKind != JsonValueKind.Object || !statement.TryGetProperty("vulnerability", out _)) throw new FormatException($"statement {number} names no vulnerability");
            if (!statement.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.String || !s_statuses.Contains(status.GetString()))
                throw new FormatException($"statement {number} has no status: one of {string.Join(", ", s_statuses)}");
            if (!statement.TryGetProperty("products", out var products) || products.ValueKind != JsonValueKind.Array || products.GetArrayLength() == 0)
                throw new FormatException($"statement {number} names no product");
        }
        return number;
    }

    private static int CountAnalyses(byte[] content)
    {
        using var document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 64 });
        var root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("vulnerabilities", out var flaws) && flaws.ValueKind == JsonValueKind.Array
            ? flaws.EnumerateArray().Count(static flaw => flaw.ValueKind == JsonValueKind.Object && flaw.TryGetProperty("analysis", out _))
            : 0;
    }

    private static int CheckLines(string text)
    {
        var entries = 0;
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var comment = line.IndexOf(" #", StringComparison.Ordinal);
            var words = (comment < 0 ? line : line[..comment]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (!words[0].All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/')) throw new FormatException($"line {number}: {Shown(words[0])} is no id");
            foreach (var word in words.Skip(1))
            {
                if (!word.StartsWith("exp:", StringComparison.Ordinal)) throw new FormatException($"line {number}: {Shown(word)} is not understood: an id, and exp:YYYY-MM-DD behind it");
                if (!DateOnly.TryParseExact(word.AsSpan(4), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) throw new FormatException($"line {number}: {Shown(word)} is no day: exp:YYYY-MM-DD");
            }
            entries++;
        }
        return entries;
    }

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
