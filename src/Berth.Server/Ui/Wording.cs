using System.Globalization;

namespace Berth.Server.Ui;

/// <summary>
/// The words of pages. Each word is one property that names all its languages at once, so that the compiler, and not a reader, finds a translation that is missing.
/// Features derive their own.
/// </summary>
/// <param name="language">The language.</param>
public abstract class Wording(Language language)
{
    /// <summary>The language.</summary>
    public Language Language { get; } = language;

    /// <summary>One word in all languages.</summary>
    protected string Of(string english, string chinese) => Language == Language.Chinese ? chinese : english;

    /// <summary>A number with what is counted: English has a form for one.</summary>
    protected string Count(long number, string one, string many, string chinese)
    {
        var digits = number.ToString("N0", CultureInfo.InvariantCulture);
        return Language == Language.Chinese ? $"{digits} {chinese}" : $"{digits} {(number == 1 ? one : many)}";
    }
}
