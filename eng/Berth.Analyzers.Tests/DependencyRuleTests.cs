namespace Berth.Analyzers.Tests;

public sealed class DependencyRuleTests
{
    private const string Map = """
        # Map

        | Word | Meaning |
        |---|---|
        | blob | bytes |

        | Feature | Ring | May also use | What |
        |---|---|---|---|
        | `Platform` | 0 | — | ground |
        | Identity | 1 Core | | users |
        | Access | 1 Core | Identity | tokens |
        | Registry | 1 Core | Access | /v2 |
        | Webhooks | 2 Reactions | - | posts |
        | Adoption | 2 Reactions | `Webhooks`, Berth.Server | takes over |
        """;

    private static Analyzed Server() => new Analyzed().Map(Map)
        .File("BerthOptions.cs", "namespace Berth.Server; public class BerthOptions { public int Limit; }")
        .File("Platform/Data/Database.cs", "namespace Berth.Server.Platform.Data; public class Database { }")
        .File("Identity/User.cs", "namespace Berth.Server.Identity; public class User { public string Name = \"\"; }")
        .File("Access/Token.cs", "namespace Berth.Server.Access; public class Token { }")
        .File("Registry/Push.cs", """
            namespace Berth.Server.Registry;
            public class Push { public const int Limit = 4; public static Push Now() => new(); }
            public static class PushExtensions { public static void AddPush(this string s) { } }
            """)
        .File("Webhooks/Post.cs", "namespace Berth.Server.Webhooks; public class Post { }");

    [Fact]
    public async Task Inner_rings_are_free_and_a_row_opens_what_it_names()
    {
        var found = await Server()
            .File("Registry/Pull.cs", """
                using Berth.Server.Access;
                using Berth.Server.Platform.Data;
                namespace Berth.Server.Registry;
                public class Pull { public Token? Token; public Database? Database; public Push? Push; }
                """)
            .File("Adoption/Adopt.cs", """
                using Berth.Server.Registry;
                namespace Berth.Server.Adoption;
                public class Adopt { public Push? Push; public Webhooks.Post? Post; public BerthOptions? Options; }
                """)
            .File("BerthServer.cs", """
                using Berth.Server.Webhooks;
                namespace Berth.Server;
                public class BerthServer { public Post? Post; public Adoption.Adopt? Adopt; }
                """)
            .With(new DependencyRule());

        Assert.Empty(found);
    }

    [Fact]
    public async Task A_feature_of_the_same_ring_without_a_row_is_refused_at_each_line_that_uses_it()
    {
        var found = await Server()
            .File("Registry/Owner.cs", """
                using Berth.Server.Identity;
                namespace Berth.Server.Registry;
                public class Owner
                {
                    public User First = new User(), Second = new();
                }
                """)
            .With(new DependencyRule());

        const string Message = "BERTH001 Registry (ring 1) uses Identity (ring 1), which its row in the map of ARCHITECTURE.md does not allow";
        Assert.Equal([$"Registry/Owner.cs(1): {Message}", $"Registry/Owner.cs(5): {Message}"], found);
    }

    [Theory]
    [InlineData("var post = new Berth.Server.Webhooks.Post();")]
    [InlineData("Webhooks.Post? post = null;")]
    [InlineData("var name = nameof(Berth.Server.Webhooks.Post);")]
    [InlineData("var posts = new System.Collections.Generic.List<Webhooks.Post>();")]
    public async Task Core_may_not_name_a_reaction(string statement)
    {
        var found = await Server()
            .File("Registry/Tags.cs", $$"""
                namespace Berth.Server.Registry;
                public class Tags { public void Set()
                {
                    {{statement}}
                } }
                """)
            .With(new DependencyRule());

        Assert.Equal(
            ["Registry/Tags.cs(4): BERTH001 Registry (ring 1) uses Webhooks (ring 2), which its row in the map of ARCHITECTURE.md does not allow"], found);
    }

    [Fact]
    public async Task Members_and_extension_methods_count_as_uses_even_when_no_type_is_named()
    {
        var found = await Server()
            .File("GlobalUsings.cs", "global using Berth.Server.Registry; global using static Berth.Server.Registry.Push;")
            .File("Platform/Data/Log.cs", """
                namespace Berth.Server.Platform.Data;
                public class Log { public void Write()
                {
                    "x".AddPush();
                    var most = Limit;
                    var first = Now();
                } }
                """)
            .With(new DependencyRule());

        const string Message = "BERTH001 Platform uses Registry, but Platform knows no feature: turn the dependency round";
        Assert.Equal([$"Platform/Data/Log.cs(4): {Message}", $"Platform/Data/Log.cs(5): {Message}", $"Platform/Data/Log.cs(6): {Message}"], found);
    }

    [Fact]
    public async Task An_alias_hides_nothing()
    {
        var found = await Server()
            .File("GlobalUsings.cs", "global using Letter = Berth.Server.Webhooks.Post;")
            .File("Webhooks/MarkAttribute.cs", "namespace Berth.Server.Webhooks; public sealed class MarkAttribute : System.Attribute { }")
            .File("Registry/Send.cs", "namespace Berth.Server.Registry; public class Send { public Letter? Letter; }")
            .File("Registry/Sent.cs", "namespace Berth.Server.Registry; [Webhooks.Mark] public class Sent { }")
            .With(new DependencyRule());

        const string Message = "BERTH001 Registry (ring 1) uses Webhooks (ring 2), which its row in the map of ARCHITECTURE.md does not allow";
        Assert.Equal([$"Registry/Send.cs(1): {Message}", $"Registry/Sent.cs(1): {Message}"], found);
    }

    [Fact]
    public async Task The_settings_of_the_whole_server_belong_to_the_outermost_ring()
    {
        var found = await Server()
            .File("Webhooks/Limit.cs", "namespace Berth.Server.Webhooks; public class Limit { public int Of(BerthOptions options) => options.Limit; }")
            .With(new DependencyRule());

        Assert.Equal(
            ["Webhooks/Limit.cs(1): BERTH001 Webhooks (ring 2) uses Berth.Server (ring 3), which its row in the map of ARCHITECTURE.md does not allow"], found);
    }

    [Fact]
    public async Task A_feature_without_a_row_is_refused_and_so_is_its_use()
    {
        var found = await Server()
            .File("Replication/Copy.cs", "namespace Berth.Server.Replication; public class Copy { public Webhooks.Post? Post; }")
            .File("Webhooks/Sent.cs", "namespace Berth.Server.Webhooks; public class Sent { public Replication.Copy? Copy; }")
            .With(new DependencyRule());

        Assert.Equal(
            [
                "Replication/Copy.cs(1): BERTH001 Replication has no row in the map of ARCHITECTURE.md: give it a ring, and what it may use beside the rings within",
                "Webhooks/Sent.cs(1): BERTH001 Webhooks uses Replication, which has no row in the map of ARCHITECTURE.md",
            ],
            found);
    }

    [Fact]
    public async Task A_page_keeps_the_rule_and_other_generated_code_is_left_alone()
    {
        const string Text = "// <auto-generated/>\nnamespace Berth.Server.Registry; class Made { public Webhooks.Post? Post; }";

        var found = await Server().File("Registry/Migration.g.cs", Text)
            .File("Registry/Pages/Tags_razor.g.cs", Text.Replace("Made", "Tags", StringComparison.Ordinal)).With(new DependencyRule());

        Assert.Equal(
            ["Registry/Pages/Tags_razor.g.cs(2): BERTH001 Registry (ring 1) uses Webhooks (ring 2), which its row in the map of ARCHITECTURE.md does not allow"],
            found);
    }

    [Fact]
    public async Task Documentation_may_point_anywhere()
    {
        var found = await Server()
            .File("Registry/Seam.cs", "namespace Berth.Server.Registry; /// <summary>See <see cref=\"Berth.Server.Webhooks.Post\"/>.</summary>\npublic class Seam { }")
            .With(new DependencyRule());

        Assert.Empty(found);
    }

    [Fact]
    public async Task Other_projects_have_no_features()
    {
        var found = await new Analyzed().Project("Berth.Blobs").File("Store.cs", "namespace Berth.Server.Unknown; public class Store { }").With(new DependencyRule());

        Assert.Empty(found);
    }

    [Fact]
    public async Task A_server_without_its_map_is_refused()
    {
        var found = await new Analyzed().File("A.cs", "namespace Berth.Server; public class A { }").With(new DependencyRule());

        Assert.Equal(["BERTH001 ARCHITECTURE.md is not among the additional files of Berth.Server"], found);
    }

    [Theory]
    [InlineData("# no table", "(1): BERTH001 there is no table with the columns Feature, Ring and May also use")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 1 | Access | |", "(1): BERTH001 the table has no row for Platform")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | |\n| 1 | Access | Registry |", "(4): BERTH001 Access may use Registry, which has no row")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | |\n| 1 | Access | |\n| 2 | Access | |", "(5): BERTH001 Access has two rows")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | |\n| Core | Access | |", "(4): BERTH001 the row needs the name of a feature and a ring from 0 to 3")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | |\n| 1 | Access |", "(4): BERTH001 the row has too few columns")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | |\n| 0 | Access | |", "(4): BERTH001 ring 0 is Platform alone, Access is in ring 0")]
    [InlineData("| Ring | Feature | May also use |\n|---|---|---|\n| 0 | Platform | Access |\n| 1 | Access | |", "(3): BERTH001 Platform may use no feature")]
    public async Task A_map_with_a_fault_is_refused_at_its_line(string map, string report)
    {
        var found = await new Analyzed().Map(map).File("A.cs", "namespace Berth.Server; public class A { }").With(new DependencyRule());

        Assert.Equal(["/repo/ARCHITECTURE.md" + report], found);
    }
}
