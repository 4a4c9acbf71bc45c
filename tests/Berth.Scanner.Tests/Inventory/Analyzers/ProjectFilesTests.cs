using System.Text;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Inventory.Analyzers;

/// <summary>What lock files, alone or with the manifests beside them, say of the place of a package in its project.</summary>
public sealed class ProjectFilesTests
{
    private const string YarnLock =
        """
        # yarn lockfile v1


        loop@^2.0.0:
          version "2.1.0"
          dependencies:
            ring "^1.0.0"

        ring@^1.0.0:
          version "1.0.1"
          dependencies:
            loop "^2.0.0"

        tidy@^3.0.0:
          version "3.0.0"
          dependencies:
            broom "^1.0.0"
            ring "^1.0.0"

        broom@^1.0.0:
          version "1.5.0"
        """;

    [Fact]
    public async Task Bun_says_what_only_development_needs_and_nests_packages_below_those_that_need_them() => Assert.Equal(
        "@k/tool 4.0.0 dev Direct, inner 1.0.0 Indirect, inner 2.0.0 dev Indirect, outer 1.0.0 Direct, peer 5.0.0 Direct, shared 1.0.0 Indirect",
        await Found(("bun.lock",
            """
            {
              "lockfileVersion": 1,
              "workspaces": {
                "": { "name": "shop", "dependencies": { "outer": "1", }, "devDependencies": { "@k/tool": "4", }, "peerDependencies": { "peer": "5", }, },
              },
              "packages": {
                "outer": ["outer@1.0.0", "", { "dependencies": { "inner": "1", "shared": "1" } }, "sha512-a"],
                "inner": ["inner@1.0.0", "", {}, "sha512-b"],
                "@k/tool": ["@k/tool@4.0.0", "", { "dependencies": { "inner": "2", "shared": "1" } }, "sha512-c"],
                "@k/tool/inner": ["inner@2.0.0", "", { "dependencies": { "shared": "1" } }, "sha512-d"],
                "shared": ["shared@1.0.0", "", { "dependencies": { "outer": "1" } }, "sha512-e"],
                "peer": ["peer@5.0.0", "", {}, "sha512-f"],
              }
            }
            """)));

    [Fact]
    public async Task Each_part_of_a_project_of_bun_counts() => Assert.Equal(
        "a 1.0.0 Direct, b 2.0.0 Direct",
        await Found(("bun.lock", """{"workspaces":{"":{"name":"shop","devDependencies":{"a":"1"}},"lib":{"name":"lib","dependencies":{"a":"1","b":"2"}}},"packages":{"a":["a@1.0.0","",{},""],"lib/b":["b@2.0.0","",{},""]}}""")));

    [Theory]
    [InlineData("""{"name":"shop","version":"0.1.0","private":true,"dependencies":{"loop":"^2.0.0"},"devDependencies":{"tidy":"^3.0.0"}}""", "broom 1.5.0 dev Indirect, loop 2.1.0 Direct, ring 1.0.1 Indirect, tidy 3.0.0 dev Direct")]
    [InlineData("""{"name":"shop","version":"0.1.0","dependencies":{"tidy":"^3.0.0"}}""", "broom 1.5.0 Indirect, loop 2.1.0 Indirect, ring 1.0.1 Indirect, shop 0.1.0 Root, tidy 3.0.0 Direct")]
    [InlineData("""{"private":true,"dependencies":{"mop":"npm:broom@^1.0.0"},"devDependencies":{"tidy":"^3.0.0"},"resolutions":{"x":"1"}}""", "broom 1.5.0 Direct, loop 2.1.0 dev Indirect, ring 1.0.1 dev Indirect, tidy 3.0.0 dev Direct")]
    [InlineData("""{"name":"shop"}""", "broom 1.5.0, loop 2.1.0, ring 1.0.1, tidy 3.0.0")]
    public async Task The_manifest_beside_says_what_of_the_lock_of_yarn_only_development_needs(string manifest, string expected) =>
        Assert.Equal(expected, await Found(path => path == "app/yarn.lock", ("app/yarn.lock", YarnLock), ("app/package.json", manifest)));

    [Fact]
    public async Task A_range_that_the_project_overrules_may_be_any_version_there_is() => Assert.Equal(
        "a 1.0.0 Direct, b 3.0.0 Indirect, c 1.0.0 dev Direct",
        await Found(path => path == "yarn.lock", ("yarn.lock", "a@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    b \"^2.0.0\"\n\nb@3.0.0:\n  version \"3.0.0\"\n\nc@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    b \"3.0.0\"\n"),
            ("package.json", """{"dependencies":{"a":"^1.0.0"},"devDependencies":{"c":"^1.0.0"},"resolutions":{"b":"3.0.0"}}""")));

    [Fact]
    public async Task The_parts_of_a_project_of_yarn_need_what_they_name() => Assert.Equal(
        "broom 1.5.0 Direct, loop 2.1.0 dev Direct, ring 1.0.1 dev Indirect, tidy 3.0.0 dev Direct",
        await Found(path => path == "yarn.lock", ("yarn.lock", YarnLock), ("package.json", """{"workspaces":["parts/*"],"devDependencies":{"loop":"^2.0.0"}}"""),
            ("parts/one/package.json", """{"name":"one","dependencies":{"broom":"^1.0.0"},"devDependencies":{"tidy":"^3.0.0"}}""")));

    [Theory]
    [InlineData("""{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","dev":true},"node_modules/b/node_modules/a":{"version":"1.0.0"},"node_modules/c":{"version":"1.0.0","dev":true}}}""")]
    [InlineData("""{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dev":true},"c":{"version":"1.0.0","dev":true,"dependencies":{"a":{"version":"1.0.0"}}}}}""")]
    public async Task What_one_place_needs_to_run_is_not_only_for_development(string text) => Assert.Equal("a 1.0.0, c 1.0.0 dev", (await Found(("package-lock.json", text))).Replace(" Indirect", "", StringComparison.Ordinal));

    [Fact]
    public async Task A_lock_to_publish_takes_the_place_of_the_lock_beside_it() => Assert.Equal(
        "a 2.0.0",
        await Found(("app/package-lock.json", """{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0"}}}"""), ("app/npm-shrinkwrap.json", """{"lockfileVersion":1,"dependencies":{"a":{"version":"2.0.0"}}}""")));

    [Fact]
    public async Task The_manifest_beside_says_what_of_the_lock_of_composer_the_project_asks_for() => Assert.Equal(
        "v/a 1.0 Direct, v/b 1.0 Indirect, v/c 1.0 dev Direct",
        await Found(("composer.lock", """{"packages":[{"name":"v/a","version":"1.0"},{"name":"v/b","version":"1.0"}],"packages-dev":[{"name":"v/c","version":"1.0"}]}"""),
            ("composer.json", """{"require":{"php":">=8","v/a":"^1"},"require-dev":{"v/c":"*"}}"""), ("vendor/v/b/composer.json", """{"require":{"v/b":"*"}}""")));

    [Theory]
    [InlineData("lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: 1.0.0_react@17.0.0\n  mine: /@k/b/2.0.0\npackages:\n  /a/1.0.0_react@17.0.0:\n    dependencies:\n      c: 3.0.0\n    dev: false\n  /@k/b/2.0.0:\n    dev: false\n  /c/3.0.0:\n    dev: false\n")]
    [InlineData("lockfileVersion: '6.0'\nimporters:\n  part:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0(react@17.0.0)\n      mine:\n        specifier: npm:@k/b@2\n        version: /@k/b@2.0.0\n      near:\n        specifier: link:../x\n        version: link:../x\npackages:\n  /a@1.0.0(react@17.0.0):\n    dependencies:\n      c: 3.0.0\n    dev: false\n  /@k/b@2.0.0:\n    dev: false\n  /c@3.0.0:\n    dev: false\n")]
    [InlineData("lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.0(react@17.0.0)\n      mine:\n        specifier: npm:@k/b@2\n        version: '@k/b@2.0.0'\npackages:\n  a@1.0.0: {}\n  '@k/b@2.0.0': {}\n  c@3.0.0: {}\nsnapshots:\n  a@1.0.0(react@17.0.0):\n    dependencies:\n      c: 3.0.0\n  '@k/b@2.0.0': {}\n  c@3.0.0: {}\n")]
    public async Task Pnpm_says_what_the_project_asks_for_and_what_that_needs(string text)
    {
        Assert.Equal("@k/b 2.0.0 Direct, a 1.0.0 Direct, c 3.0.0 Indirect", await Found(("pnpm-lock.yaml", text)));
        Assert.Equal(["c@3.0.0"], (await Packages(("pnpm-lock.yaml", Encoding.UTF8.GetBytes(text)))).Single(one => one.Name == "a").DependsOn);
    }

    [Fact]
    public async Task Poetry_groups_without_the_main_one_are_for_development() => Assert.Equal(
        "a 1.0, b 1.0 dev, c 1.0",
        await Found(("poetry.lock", "[[package]]\nname = \"a\"\nversion = \"1.0\"\ngroups = [\"main\", \"docs\"]\n\n[[package]]\nname = \"b\"\nversion = \"1.0\"\ngroups = [\"docs\", \"test\"]\n\n[[package]]\nname = \"c\"\nversion = \"1.0\"\n")));

    [Theory]
    [InlineData("[tool.poetry.dependencies]\npython = \"^3.9\"\nWeb_Kit = \"1.0\"\n\n[tool.poetry.group.lint.dependencies]\nruffle = \"*\"\n")]
    [InlineData("[project]\ndependencies = [\"web.kit[fast]>=1,<2 ; python_version > '3'\"]\n\n[dependency-groups]\nlint = [\"ruffle\", {include-group = \"other\"}]\n")]
    [InlineData("[tool.poetry.dependencies]\nweb-kit = \"1.0\"\n\n[tool.poetry.dev-dependencies]\nruffle = \"*\"\n")]
    public async Task The_manifest_beside_says_what_of_the_lock_of_poetry_only_development_needs(string manifest) => Assert.Equal(
        "Base 2.0 Indirect, lone 1.0 Indirect, parts 1.0 dev Indirect, ruffle 3.0 dev Direct, web-kit 1.0 Direct",
        await Found(("pyproject.toml", manifest), ("poetry.lock",
            """
            [[package]]
            name = "web-kit"
            version = "1.0"

            [package.dependencies]
            base = ">=2"

            [[package]]
            name = "Base"
            version = "2.0"

            [[package]]
            name = "ruffle"
            version = "3.0"

            [package.dependencies]
            base = "*"
            parts = {version = "*", markers = "x"}

            [[package]]
            name = "parts"
            version = "1.0"

            [[package]]
            name = "lone"
            version = "1.0"
            """)));

    [Fact]
    public async Task Uv_says_by_the_project_what_only_development_needs() => Assert.Equal(
        "a 1.0 Direct, b 1.0 Indirect, c 1.0 dev Direct, d 1.0 Direct, shop 0.2 Root",
        await Found(("uv.lock",
            """
            version = 1

            [[package]]
            name = "shop"
            version = "0.2"
            source = { editable = "." }
            dependencies = [
                { name = "a" },
            ]

            [package.optional-dependencies]
            extra = [
                { name = "d" },
            ]

            [package.dev-dependencies]
            dev = [
                { name = "c" },
                { name = "a" },
            ]

            [[package]]
            name = "a"
            version = "1.0"
            source = { registry = "https://pypi.example/simple" }
            dependencies = [
                { name = "b", marker = "sys_platform == 'win32'" },
            ]

            [[package]]
            name = "b"
            version = "1.0"
            source = { registry = "https://pypi.example/simple" }

            [[package]]
            name = "c"
            version = "1.0"
            source = { registry = "https://pypi.example/simple" }
            dependencies = [
                { name = "b" },
            ]

            [[package]]
            name = "d"
            version = "1.0"
            source = { registry = "https://pypi.example/simple" }
            """)));

    [Theory]
    [InlineData("app/installed.json", """{"packages":[{"name":"v/p","version":"1.0.0"}],"dev-package-names":[]}""", "v/p 1.0.0")]
    [InlineData("app/installed.json", """{"packages":[{"name":"theme","version":"1.0.0"}]}""", "")]
    [InlineData("pnpm-lock.yaml", "---\nlockfileVersion: '9.0'\npackages:\n  pnpm@11.0.0: {}\n---\nlockfileVersion: '9.0'\n\npackages:\n\n  a@1.0.0: {}\n", "a 1.0.0")]
    [InlineData("yarn.lock", "\"mine@npm:@k/theirs\":\n  version \"1.0.0\"\n\n\"other@npm:plain\":\n  version \"2.0.0\"\n", "@k/theirs 1.0.0, plain 2.0.0")]
    [InlineData("yarn.lock", "__metadata:\n  version: 8\n\n\"a@npm:latest\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n", "a 1.0.0")]
    [InlineData("conan.lock", """{"graph_lock":{"nodes":{"0":{"path":"conanfile.txt","requires":["1"]},"1":{"ref":"a/1.0@me/testing","path":"../a/conanfile.py","requires":["2"]},"2":{"ref":"b/2.0#f00"}}},"version":"0.4"}""", "a 1.0 Direct, b 2.0 Indirect")]
    public async Task A_file_names_its_packages_and_their_place(string path, string text, string expected) => Assert.Equal(expected, await Found((path, text)));

    [Fact]
    public async Task Wheels_are_named_by_their_metadata_but_not_those_that_Python_brings_itself()
    {
        var wheel = ProgramBytes.Zip(("w/deep.dist-info/METADATA/x", []), ("a/b.dist-info/METADATA", "Name: inner\nVersion: 9\n"u8.ToArray()), ("w-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: w\nVersion: 1.0\n"u8.ToArray()));
        Assert.Equal("w 1.0", await Found(_ => true, [("opt/wheels/w-1.0-py3-none-any.whl", wheel), ("usr/lib/python3.12/ensurepip/_bundled/pip-24.0-py3-none-any.whl", wheel)]));
    }

    private static Task<string> Found(params (string Path, string Text)[] files) => Found(_ => true, files);

    private static Task<string> Found(Func<string, bool> counts, params (string Path, string Text)[] files) => Found(counts, [.. files.Select(file => (file.Path, Encoding.UTF8.GetBytes(file.Text)))]);

    private static async Task<string> Found(Func<string, bool> counts, (string Path, byte[] Content)[] files) =>
        string.Join(", ", (await Packages(files)).Where(one => counts(one.Path))
            .Select(one => $"{one.Name} {one.Version}{(one.IsDevelopment ? " dev" : "")}{(one.Relationship == PackageRelationship.Unknown ? "" : " " + one.Relationship)}").Order(StringComparer.Ordinal));

    private static async Task<IReadOnlyList<Package>> Packages(params (string Path, byte[] Content)[] files)
    {
        var layer = await new LayerWalker(AnalyzerSet.All, LayerLimits.Default).ReadAsync(
            _ => ValueTask.FromResult<Stream>(new MemoryStream(Layers.TarBytes.Archive([.. files.Select(file => Layers.TarBytes.Entry(file.Path, file.Content))]))), TestContext.Current.CancellationToken);
        return ImageInventory.Join([layer]).Packages;
    }
}
