namespace Berth.Scanner.Versions.RubyGems;

/// <summary>Walks the segments of a gem's version; zeros that end its numbers in front of the first letter are left out.</summary>
internal ref struct GemSegments(ReadOnlySpan<char> version)
{
    private ReadOnlySpan<char> _rest = version;
    private bool _text;

    public bool Next(out ReadOnlySpan<char> segment)
    {
        if (!_text && OnlyZerosAhead(_rest, out var skipped))
            _rest = _rest[skipped..];
        return Take(out segment);
    }

    private bool Take(out ReadOnlySpan<char> segment)
    {
        segment = [];
        while (!_rest.IsEmpty && _rest[0] == '.')
            _rest = _rest[1..];
        if (_rest.IsEmpty)
            return false;
        if (_rest[0] == '-')
        {
            _rest = _rest[1..];
            _text = true;
            segment = "pre";
            return true;
        }
        var length = Digits.Run(_rest);
        if (length == 0)
        {
            _text = true;
            while (length < _rest.Length && char.IsAsciiLetter(_rest[length]))
                length++;
        }
        segment = _rest[..length];
        _rest = _rest[length..];
        return length > 0;
    }

    /// <summary>Whether only zeros stand between here and the first letter, hyphen or the end.</summary>
    private static bool OnlyZerosAhead(ReadOnlySpan<char> text, out int skipped)
    {
        skipped = text.IndexOfAnyExcept('0', '.');
        if (skipped < 0)
            skipped = text.Length;
        return skipped == text.Length || !char.IsAsciiDigit(text[skipped]);
    }
}
