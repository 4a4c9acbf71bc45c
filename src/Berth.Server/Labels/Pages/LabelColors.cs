namespace Berth.Server.Labels.Pages;

/// <summary>Colours as clients send them: only what is one goes into a page.</summary>
internal static class LabelColors
{
    /// <summary>Whether a text is a colour such as <c>#0f6b75</c>.</summary>
    public static bool IsOne(string? text) => text is ['#', .. var digits] && digits.Length is 3 or 6 && digits.All(char.IsAsciiHexDigit);
}
