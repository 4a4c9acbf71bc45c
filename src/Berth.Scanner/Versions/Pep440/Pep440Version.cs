using System.Text;

namespace Berth.Scanner.Versions.Pep440;

/// <summary>The parts of a Python version (PEP 440, with the spellings of its appendix B), as slices of its text.</summary>
internal ref struct Pep440Version
{
    public ReadOnlySpan<char> Epoch;

    /// <summary>Numbers with dots.</summary>
    public ReadOnlySpan<char> Release;

    /// <summary>0: none; 1 alpha; 2 beta; 3 candidate.</summary>
    public int PreKind;

    public ReadOnlySpan<char> PreNumber;

    public bool HasPost;

    public ReadOnlySpan<char> PostNumber;

    public bool HasDev;

    public ReadOnlySpan<char> DevNumber;

    /// <summary>What stands behind the plus; empty when there is none.</summary>
    public ReadOnlySpan<char> Local;

    public readonly bool IsPrerelease => PreKind != 0 || HasDev;

    private static readonly (string Word, int Kind)[] PreWords =
        [("alpha", 1), ("beta", 2), ("preview", 3), ("pre", 3), ("rc", 3), ("a", 1), ("b", 2), ("c", 3)];

    private static readonly string[] PostWords = ["post", "rev", "r"];

    /// <summary>The parts of a text that <see cref="TryParse"/> takes; empty parts for any other.</summary>
    public static Pep440Version Of(ReadOnlySpan<char> text) => TryParse(text, out var version) ? version : default;

    public static bool TryParse(ReadOnlySpan<char> text, out Pep440Version version)
    {
        // A local, because the compiler gives an out parameter a narrower scope than the text.
        var parsed = new Pep440Version();
        version = default;
        text = text.Trim();
        if (text.Length > 0 && text[0] is 'v' or 'V')
            text = text[1..];
        var run = Digits.Run(text);
        if (run > 0 && run < text.Length && text[run] == '!')
        {
            parsed.Epoch = text[..run];
            text = text[(run + 1)..];
        }
        var end = ReleaseLength(text);
        if (end == 0)
            return false;
        parsed.Release = text[..end];
        text = text[end..];
        TakePre(ref text, ref parsed);
        TakePost(ref text, ref parsed);
        TakeDev(ref text, ref parsed);
        if (!text.IsEmpty)
        {
            if (text[0] != '+' || !IsLocal(text[1..]))
                return false;
            parsed.Local = text[1..];
        }
        version = parsed;
        return true;
    }

    /// <summary>The one spelling that all spellings of this version share.</summary>
    public readonly string Canonical()
    {
        var text = new StringBuilder();
        if (Digits.Compare(Epoch, []) != 0)
            text.Append(Plain(Epoch)).Append('!');
        foreach (var number in Release.Split('.'))
            text.Append(Plain(Release[number])).Append('.');
        text.Length--;
        if (PreKind != 0)
            text.Append(PreKind switch { 1 => "a", 2 => "b", _ => "rc" }).Append(Plain(PreNumber));
        if (HasPost)
            text.Append(".post").Append(Plain(PostNumber));
        if (HasDev)
            text.Append(".dev").Append(Plain(DevNumber));
        var separator = '+';
        foreach (var part in Local.SplitAny('.', '-', '_'))
        {
            if (!Local.IsEmpty)
                text.Append(separator).Append(Digits.AreAll(Local[part]) ? Plain(Local[part]) : Local[part].ToString().ToLowerInvariant());
            separator = '.';
        }
        return text.ToString();
    }

    private static string Plain(ReadOnlySpan<char> number) => number.TrimStart('0') is { IsEmpty: false } digits ? digits.ToString() : "0";

    private static int ReleaseLength(ReadOnlySpan<char> text)
    {
        var end = Digits.Run(text);
        while (end > 0 && end + 1 < text.Length && text[end] == '.' && char.IsAsciiDigit(text[end + 1]))
            end += 1 + Digits.Run(text[(end + 1)..]);
        return end;
    }

    private static void TakePre(ref ReadOnlySpan<char> text, ref Pep440Version version)
    {
        var rest = AfterSeparator(text);
        foreach (var (word, kind) in PreWords)
        {
            if (!rest.StartsWith(word, StringComparison.OrdinalIgnoreCase))
                continue;
            version.PreKind = kind;
            version.PreNumber = TakeNumber(rest[word.Length..], out text);
            return;
        }
    }

    private static void TakePost(ref ReadOnlySpan<char> text, ref Pep440Version version)
    {
        if (text.Length > 1 && text[0] == '-' && char.IsAsciiDigit(text[1]))
        {
            version.HasPost = true;
            version.PostNumber = text.Slice(1, Digits.Run(text[1..]));
            text = text[(1 + version.PostNumber.Length)..];
            return;
        }
        var rest = AfterSeparator(text);
        foreach (var word in PostWords)
        {
            if (!rest.StartsWith(word, StringComparison.OrdinalIgnoreCase))
                continue;
            version.HasPost = true;
            version.PostNumber = TakeNumber(rest[word.Length..], out text);
            return;
        }
    }

    private static void TakeDev(ref ReadOnlySpan<char> text, ref Pep440Version version)
    {
        var rest = AfterSeparator(text);
        if (!rest.StartsWith("dev", StringComparison.OrdinalIgnoreCase))
            return;
        version.HasDev = true;
        version.DevNumber = TakeNumber(rest[3..], out text);
    }

    private static ReadOnlySpan<char> AfterSeparator(ReadOnlySpan<char> text) =>
        text.Length > 0 && text[0] is '-' or '_' or '.' ? text[1..] : text;

    /// <summary>The number behind a word, which may be missing; one separator behind the word is taken either way.</summary>
    private static ReadOnlySpan<char> TakeNumber(ReadOnlySpan<char> text, out ReadOnlySpan<char> rest)
    {
        var digits = AfterSeparator(text);
        var number = digits[..Digits.Run(digits)];
        rest = digits[number.Length..];
        return number;
    }

    private static bool IsLocal(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !char.IsAsciiLetterOrDigit(text[^1]))
            return false;
        var separated = true;
        foreach (var c in text)
        {
            var letter = char.IsAsciiLetterOrDigit(c);
            if (!letter && (separated || c is not ('-' or '_' or '.')))
                return false;
            separated = !letter;
        }
        return true;
    }
}
