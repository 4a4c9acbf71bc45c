using System.Reflection;
using System.Text.RegularExpressions;
using Berth.Server.Ui;

namespace Berth.Server.Tests.Ui;

/// <summary>Every word of the pages is there in both languages, and no page has words of its own.</summary>
public sealed partial class WordingTests
{
    // Names, which are the same everywhere.
    private static readonly HashSet<string> s_same = ["Words.Product", "Words.ApiDocs"];

    public static IEnumerable<TheoryDataRow<Type>> All() =>
        typeof(Wording).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Wording))).Select(t => new TheoryDataRow<Type>(t));

    [Theory]
    [MemberData(nameof(All))]
    public void Each_word_is_there_in_both_languages(Type type)
    {
        var (english, chinese) = (Activator.CreateInstance(type, Language.English)!, Activator.CreateInstance(type, Language.Chinese)!);
        foreach (var word in type.GetProperties().Where(p => p.PropertyType == typeof(string)))
            Check($"{type.Name}.{word.Name}", (string)word.GetValue(english)!, (string)word.GetValue(chinese)!);
        foreach (var sentence in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(m => !m.IsSpecialName && m.ReturnType == typeof(string) && !m.Name.EndsWith("Of", StringComparison.Ordinal)))
        {
            object[] values = [.. sentence.GetParameters().Select(p => p.ParameterType == typeof(string) ? "x" : p.ParameterType == typeof(TimeSpan) ? TimeSpan.FromHours(5) : p.ParameterType == typeof(bool) ? (object)true : 7L)];
            Check($"{type.Name}.{sentence.Name}", (string)sentence.Invoke(english, values)!, (string)sentence.Invoke(chinese, values)!);
        }
    }

    [Fact]
    public void No_page_has_text_of_its_own()
    {
        var found = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Sources(), "*.razor", SearchOption.AllDirectories))
        {
            var markup = Comment().Replace(File.ReadAllText(file), "");
            var code = markup.IndexOf("@code {", StringComparison.Ordinal);
            if (code >= 0) markup = markup[..code];
            foreach (Match match in Literal().Matches(markup))
            {
                if (!match.Groups[1].Value.AsSpan().ContainsAny("();=") && match.Groups[1].Value.Trim() is not ("English" or "简体中文")) found.Add($"{Path.GetFileName(file)}: {match.Groups[1].Value.Trim()}");
            }
            foreach (Match match in Attribute().Matches(markup)) found.Add($"{Path.GetFileName(file)}: {match.Value}");
        }
        // Names of images and digests are the same in all languages.
        found.RemoveAll(f => f is "DesignPage.razor: placeholder=\"library\"" or "DesignPage.razor: Placeholder=\"library\"" or "GarbagePage.razor: placeholder=\"sha256:…\"");
        Assert.Empty(found);
    }

    [Theory]
    [InlineData("en-GB,en;q=0.9", null, Language.English)]
    [InlineData("zh-CN,zh;q=0.9,en;q=0.8", null, Language.Chinese)]
    [InlineData("de, zh;q=0.5", null, Language.Chinese)]
    [InlineData("zh-CN", "en", Language.English)]
    [InlineData("", null, Language.English)]
    public void The_language_is_the_chosen_one_or_the_first_of_the_browser(string header, string? cookie, Language expected)
    {
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Request.Headers.AcceptLanguage = header;
        if (cookie is not null) context.Request.Headers.Cookie = $"{Languages.Cookie}={cookie}";
        Assert.Equal(expected, Languages.Of(context.Request));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1_290_000, "1.23 MiB")]
    [InlineData(123_456_789_012, "115 GiB")]
    public void Sizes_have_three_digits(long bytes, string expected) => Assert.Equal(expected, Sizes.Text(bytes));

    [Theory]
    [InlineData("10 GiB", 10L << 30)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData("512", 512L)]
    [InlineData("", -1L)]
    [InlineData("-1", -1L)]
    [InlineData("ten", null)]
    [InlineData("0", null)]
    [InlineData("5 XB", null)]
    public void Sizes_are_read_with_their_unit(string text, long? expected) => Assert.Equal(expected, Sizes.Parse(text));

    private static void Check(string name, string english, string chinese)
    {
        Assert.False(string.IsNullOrWhiteSpace(english), name);
        Assert.False(string.IsNullOrWhiteSpace(chinese), name);
        Assert.False(english.Any(c => c is >= '一' and <= '鿿'), $"{name} is Chinese in English: {english}");
        if (english.Any(char.IsAsciiLetterLower) && english.Contains(' ', StringComparison.Ordinal) && !s_same.Contains(name)) Assert.NotEqual(english, chinese);
    }

    private static string Sources([System.Runtime.CompilerServices.CallerFilePath] string caller = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(caller)!, "../../../src/Berth.Server"));

    [GeneratedRegex("@\\*.*?\\*@", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex("(?<![=-])>([^<>@{}]*\\p{L}{2,}[^<>@{}]*)<(?=[/a-zA-Z])")]
    private static partial Regex Literal();

    [GeneratedRegex("\\b(aria-label|title|[Pp]laceholder|alt|Title|Label|Hint|Lead|Button)=\"\\p{L}[^\"@]*\"")]
    private static partial Regex Attribute();
}
