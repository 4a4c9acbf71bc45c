namespace Berth.Analyzers.Tests;

public sealed class NameRuleTests
{
    [Theory]
    [InlineData("class UserService { }", "UserService", "Service")]
    [InlineData("interface IUserManager { }", "IUserManager", "Manager")]
    [InlineData("static class PathHelper { }", "PathHelper", "Helper")]
    [InlineData("record StoreImpl;", "StoreImpl", "Impl")]
    [InlineData("record struct StoreBase;", "StoreBase", "Base")]
    [InlineData("struct Service { }", "Service", "Service")]
    [InlineData("enum SizeHelper { }", "SizeHelper", "Helper")]
    [InlineData("delegate void RunService();", "RunService", "Service")]
    [InlineData("class Outer { class InnerManager { } }", "InnerManager", "Manager")]
    public async Task A_type_that_could_be_anything_is_refused(string text, string name, string suffix) =>
        Assert.Equal(
            [$"Registry/A.cs(1): BERTH004 {name}: name the type after what it is, not {suffix}"],
            await new Analyzed().File("Registry/A.cs", text).With(new NameRule()));

    [Fact]
    public async Task A_word_that_only_ends_alike_is_fine() =>
        Assert.Empty(await new Analyzed().File("Registry/A.cs", "class Database { } class ServiceName { } class Microservice { }").With(new NameRule()));

    [Theory]
    [InlineData("Services", "Services")]
    [InlineData("Registry/Models", "Models")]
    [InlineData("Platform/helpers/Http", "helpers")]
    [InlineData("Core", "Core")]
    public async Task A_folder_that_could_hold_anything_is_refused(string folder, string named) =>
        Assert.Equal(
            [$"{folder}/A.cs(1): BERTH004 a folder {named} says nothing about what is in it: put the file with its feature"],
            await new Analyzed().File(folder + "/A.cs", "class A { }").With(new NameRule()));
}
