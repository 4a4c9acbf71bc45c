namespace Berth.Server.Access;

/// <summary>Quoted strings of HTTP headers (RFC 9110 section 5.6.4).</summary>
internal static class HttpQuoting
{
    /// <summary>The text in quotes; characters that no header may hold are dropped.</summary>
    public static string Quote(string text)
    {
        if (text.AsSpan().IndexOfAny('"', '\\') >= 0)
            text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        if (text.Any(c => char.IsControl(c) || c > 126)) text = string.Concat(text.Where(c => !char.IsControl(c) && c <= 126));
        return $"\"{text}\"";
    }
}
