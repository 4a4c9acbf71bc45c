using Microsoft.AspNetCore.Http;

namespace Berth.Server.Ui;

/// <summary>A language of the pages.</summary>
public enum Language
{
    /// <summary>English.</summary>
    English,

    /// <summary>Simplified Chinese.</summary>
    Chinese,
}

/// <summary>Which language a browser gets: the one chosen on a page, else the first of its own that there is, else English.</summary>
internal static class Languages
{
    /// <summary>Cookie of the choice.</summary>
    public const string Cookie = "berth-lang";

    /// <summary>The language of a request.</summary>
    public static Language Of(HttpRequest request) => request.Cookies[Cookie] switch
    {
        "en" => Language.English,
        "zh" => Language.Chinese,
        _ => OfHeader(request.Headers.AcceptLanguage.ToString()),
    };

    /// <summary>The language as HTML names it (BCP 47).</summary>
    public static string TagOf(Language language) => language == Language.Chinese ? "zh-Hans" : "en";

    // RFC 9110 section 12.5.4. Browsers send their languages by falling weight: the first that we have is the best.
    private static Language OfHeader(string header)
    {
        foreach (var part in header.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(20))
        {
            if (part.StartsWith("zh", StringComparison.OrdinalIgnoreCase)) return Language.Chinese;
            if (part.StartsWith("en", StringComparison.OrdinalIgnoreCase)) return Language.English;
        }
        return Language.English;
    }
}
