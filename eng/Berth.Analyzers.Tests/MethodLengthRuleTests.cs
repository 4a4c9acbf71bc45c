namespace Berth.Analyzers.Tests;

public sealed class MethodLengthRuleTests
{
    /// <summary>A body of the given number of lines, braces counted.</summary>
    private static string Body(int lines) => "{\n" + string.Concat(Enumerable.Repeat("\n", lines - 2)) + "}";

    [Fact]
    public async Task Seventy_lines_are_allowed_and_attributes_and_comments_do_not_count()
    {
        var text = "class A {\n/// <summary>\n/// Long.\n/// </summary>\n[System.Obsolete(\n\"x\")]\npublic void M()\n" + Body(69) + "\n}";

        Assert.Empty(await new Analyzed().File("A.cs", text).With(new MethodLengthRule()));
    }

    [Theory]
    [InlineData("void M()\n", "", "M")]
    [InlineData("A()\n", "", "the constructor of A")]
    [InlineData("~A()\n", "", "the finalizer of A")]
    [InlineData("int P { set\n", "}", "the set accessor")]
    [InlineData("public static A operator +(A a, A b)\n", "return a; }", "operator +", 70)]
    public async Task Seventy_one_are_refused_at_the_signature(string signature, string rest, string name, int body = 70)
    {
        var lines = rest.StartsWith("return", StringComparison.Ordinal) ? Body(body)[..^1] : Body(body);

        var found = await new Analyzed().File("A.cs", "class A {\n" + signature + lines + rest + "}").With(new MethodLengthRule());

        Assert.Equal([$"A.cs(2): BERTH003 {name} has 71 lines, the limit is 70"], found);
    }

    [Fact]
    public async Task An_expression_body_and_a_local_function_are_measured_too()
    {
        var blank = new string('\n', 70);
        var text = "class A { int P =>" + blank + "1;\nvoid M() {\nvoid L()\n" + Body(70) + "\nL(); } }";

        var found = await new Analyzed().File("A.cs", text).With(new MethodLengthRule());

        Assert.Equal(
            [
                "A.cs(1): BERTH003 P has 71 lines, the limit is 70",
                "A.cs(72): BERTH003 M has 73 lines, the limit is 70",
                "A.cs(73): BERTH003 L has 71 lines, the limit is 70",
            ],
            found);
    }

    [Fact]
    public async Task The_statements_of_a_program_are_one_method()
    {
        var found = await new Analyzed().File("Program.cs", "System.Console.WriteLine();" + new string('\n', 70) + "System.Console.WriteLine();").With(new MethodLengthRule());

        Assert.Equal(["Program.cs(1): BERTH003 the program has 71 lines, the limit is 70"], found);
    }
}
