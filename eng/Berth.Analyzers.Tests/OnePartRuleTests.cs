namespace Berth.Analyzers.Tests;

public sealed class OnePartRuleTests
{
    private const string Attributes = """
        class LoggerMessageAttribute : System.Attribute { }
        class JsonSerializerContext { }
        """;

    [Theory]
    [InlineData("partial class Log { [LoggerMessage] static partial void Started(); }")]
    [InlineData("partial class Log { [LoggerMessageAttribute] static partial void Started(); }")]
    [InlineData("partial class Words { [System.Text.RegularExpressions.GeneratedRegex(\"a\")] private static partial System.Text.RegularExpressions.Regex Word(); }")]
    [InlineData("partial class Native { [System.Runtime.InteropServices.LibraryImport(\"c\")] private static partial int getpid(); }")]
    [InlineData("partial class Json : JsonSerializerContext { }")]
    [InlineData("class Whole { }")]
    public async Task A_part_that_a_generator_completes_is_fine(string text) =>
        Assert.Empty(await new Analyzed().File("Attributes.cs", Attributes).File("A.cs", text).With(new OnePartRule()));

    [Fact]
    public async Task The_code_behind_a_page_is_fine() =>
        Assert.Empty(await new Analyzed().File("Pages/Users.razor.cs", "partial class Users { }").With(new OnePartRule()));

    [Theory]
    [InlineData("partial class Push { }", "Push")]
    [InlineData("partial record Push { }", "Push")]
    [InlineData("partial interface IPush { }", "IPush")]
    [InlineData("partial class Push { partial class Log { [LoggerMessage] static partial void Started(); } }", "Push")]
    public async Task Any_other_part_is_refused(string text, string type) =>
        Assert.Equal(
            [$"A.cs(1): BERTH005 no source generator completes {type} here: keep the type in one place"],
            await new Analyzed().File("Attributes.cs", Attributes).File("A.cs", text).With(new OnePartRule()));

    [Fact]
    public async Task A_region_is_refused_and_other_directives_are_not()
    {
        var found = await new Analyzed().File("A.cs", "#nullable enable\nclass A\n{\n    #region private\n    int x = 1; int X => x;\n    #endregion\n}\n").With(new OnePartRule());

        Assert.Equal(["A.cs(4): BERTH005 a region hides code: split the type or the method"], found);
    }
}
