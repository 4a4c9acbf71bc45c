using System.Globalization;
using System.Text;

namespace Berth.Scanner.Reports.Templates;

internal enum TokenKind
{
    Text,
    Open,
    Close,
    Word,
    Field,
    Variable,
    Literal,
    Sign,
    Space,
    End,
}

/// <summary>A word of a template.</summary>
internal sealed record Token(TokenKind Kind, string Text, int Line, object? Value = null);

/// <summary>Takes a template apart. White space beside <c>{{-</c> and <c>-}}</c> goes, comments too.</summary>
internal sealed class TemplateLexer(string text)
{
    private const string Signs = "()|,=";

    private readonly List<Token> tokens = [];
    private int at;
    private int line = 1;

    /// <summary>All words, the last is <see cref="TokenKind.End"/>.</summary>
    public static List<Token> Read(string text)
    {
        var lexer = new TemplateLexer(text);
        lexer.Run();
        return lexer.tokens;
    }

    private void Run()
    {
        var trimsStart = false;
        while (at < text.Length)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var end = open < 0 ? text.Length : open;
            var plain = text[at..end];
            var trimsEnd = open >= 0 && end + 3 < text.Length && text[end + 2] == '-' && IsSpace(text[end + 3]);
            var shown = trimsStart ? plain.TrimStart(' ', '\t', '\r', '\n') : plain;
            if (trimsEnd) shown = shown.TrimEnd(' ', '\t', '\r', '\n');
            if (shown.Length > 0) tokens.Add(new Token(TokenKind.Text, shown, line));
            line += plain.AsSpan().Count('\n');
            at = end;
            if (open < 0) break;
            at += trimsEnd ? 3 : 2;
            trimsStart = ReadAction();
        }
        tokens.Add(new Token(TokenKind.End, "", line));
    }

    // True when white space behind the action goes.
    private bool ReadAction()
    {
        while (at < text.Length && IsSpace(text[at])) Step();
        if (Follows("/*"))
        {
            var end = text.IndexOf("*/", at, StringComparison.Ordinal);
            if (end < 0) throw Broken("a comment has no end");
            line += text.AsSpan(at, end - at).Count('\n');
            at = end + 2;
            while (at < text.Length && IsSpace(text[at])) Step();
            if (Follows("-}}") || Follows("}}")) return Close();
            throw Broken("behind a comment stands more");
        }
        tokens.Add(new Token(TokenKind.Open, "{{", line));
        while (true)
        {
            if (at >= text.Length) throw Broken("an action has no end");
            if (Follows("}}") || (Follows("-}}") && tokens[^1].Kind == TokenKind.Space))
            {
                tokens.Add(new Token(TokenKind.Close, "}}", line));
                return Close();
            }
            ReadToken();
        }
    }

    private bool Close()
    {
        var trims = Follows("-}}");
        at += trims ? 3 : 2;
        return trims;
    }

    private void ReadToken()
    {
        var c = text[at];
        if (IsSpace(c))
        {
            while (at < text.Length && IsSpace(text[at])) Step();
            tokens.Add(new Token(TokenKind.Space, " ", line));
        }
        else if (c is '"' or '`' or '\'') ReadText(c);
        else if (c == '.' && !(at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])))
        {
            at++;
            tokens.Add(new Token(TokenKind.Field, Name(), line));
        }
        else if (c == '$')
        {
            at++;
            tokens.Add(new Token(TokenKind.Variable, "$" + Name(), line));
        }
        else if (char.IsAsciiDigit(c) || c is '.' or '-' or '+') ReadNumber();
        else if (Follows(":="))
        {
            at += 2;
            tokens.Add(new Token(TokenKind.Sign, ":=", line));
        }
        else if (Signs.Contains(c, StringComparison.Ordinal))
        {
            at++;
            tokens.Add(new Token(TokenKind.Sign, c.ToString(), line));
        }
        else if (char.IsLetter(c) || c == '_') tokens.Add(new Token(TokenKind.Word, Name(), line));
        else throw Broken($"\"{c}\" has no meaning here");
    }

    private string Name()
    {
        var start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_')) at++;
        return text[start..at];
    }

    private void ReadNumber()
    {
        var start = at++;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '.' or '_')) at++;
        var word = text[start..at].Replace("_", "", StringComparison.Ordinal);
        object value = long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? (object)number
            : word.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && long.TryParse(word.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out number) ? number
            : double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : throw Broken($"\"{word}\" is no number");
        tokens.Add(new Token(TokenKind.Literal, word, line, value));
    }

    private void ReadText(char quote)
    {
        var start = ++at;
        var value = new StringBuilder();
        for (; at < text.Length && text[at] != quote; at++)
        {
            if (text[at] == '\n')
            {
                if (quote != '`') break;
                line++;
            }
            if (text[at] == '\\' && quote != '`') value.Append(Escape());
            else value.Append(text[at]);
        }
        if (at >= text.Length || text[at] != quote) throw Broken("a text has no end");
        at++;
        if (quote == '\'' && value.Length != 1) throw Broken("a character constant is one character");
        tokens.Add(new Token(TokenKind.Literal, text[start..(at - 1)], line, quote == '\'' ? (long)value[0] : value.ToString()));
    }

    private string Escape()
    {
        if (++at >= text.Length) throw Broken("a text has no end");
        switch (text[at])
        {
            case 'n': return "\n";
            case 't': return "\t";
            case 'r': return "\r";
            case 'a': return "\a";
            case 'b': return "\b";
            case 'f': return "\f";
            case 'v': return "\v";
            case '\\' or '"' or '\'': return text[at].ToString();
            case 'x': return Code(2);
            case 'u': return Code(4);
            case 'U': return Code(8);
            default: throw Broken($"\"\\{text[at]}\" is no escape");
        }
    }

    private string Code(int digits)
    {
        if (at + digits >= text.Length || !int.TryParse(text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code)) throw Broken("an escape names no character");
        at += digits;
        return new Rune(code).ToString();
    }

    private void Step()
    {
        if (text[at++] == '\n') line++;
    }

    private bool Follows(string word) => string.CompareOrdinal(text, at, word, 0, word.Length) == 0;

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';

    private TemplateException Broken(string why) => new($"line {line} of the template: {why}");
}
