using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Berth.Analyzers.Tests;

/// <summary>Source text compiled in memory as the project in <see cref="ProjectFolder"/>, and what one analyzer says to it.</summary>
internal sealed class Analyzed
{
    private const string ProjectFolder = "/repo/src/Berth.Server/";

    private static readonly ImmutableArray<MetadataReference> Framework =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(p => MetadataReference.CreateFromFile(p))];

    private readonly List<SyntaxTree> files = [];
    private string? map;
    private string assembly = "Berth.Server";

    /// <summary>Adds a file; the path starts at the project.</summary>
    public Analyzed File(string path, string text)
    {
        files.Add(CSharpSyntaxTree.ParseText(text, CSharpParseOptions.Default, Path.Combine(ProjectFolder, path), cancellationToken: TestContext.Current.CancellationToken));
        return this;
    }

    /// <summary>Gives the text of <c>ARCHITECTURE.md</c>.</summary>
    public Analyzed Map(string text)
    {
        map = text;
        return this;
    }

    /// <summary>Names the project, where it is another than Berth.Server.</summary>
    public Analyzed Project(string name)
    {
        assembly = name;
        return this;
    }

    /// <summary>Runs the analyzer; each report is written as <c>file(line): id message</c>, in the order of the places.</summary>
    public async Task<IReadOnlyList<string>> With(DiagnosticAnalyzer analyzer)
    {
        var ct = TestContext.Current.CancellationToken;
        var options = new CSharpCompilationOptions(
            files.Any(f => f.GetRoot(ct).ChildNodes().Any(n => n.IsKind(SyntaxKind.GlobalStatement))) ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
            nullableContextOptions: NullableContextOptions.Enable);
        var compilation = CSharpCompilation.Create(assembly, files, Framework, options);
        Assert.Empty(compilation.GetDiagnostics(ct).Where(d => d.Severity == DiagnosticSeverity.Error && d.Id != "CS8795"));

        ImmutableArray<AdditionalText> texts = map is null ? [] : [new MapText(map)];
        var analyzed = compilation.WithAnalyzers([analyzer], new AnalyzerOptions(texts, new ProjectSettings(assembly)));
        var found = await analyzed.GetAnalyzerDiagnosticsAsync(ct);
        Assert.DoesNotContain(found, d => d.Id == "AD0001");
        return [.. found.OrderBy(d => d.Location.GetLineSpan().Path, StringComparer.Ordinal).ThenBy(d => d.Location.GetLineSpan().StartLinePosition).Select(Written)];
    }

    private static string Written(Diagnostic diagnostic)
    {
        var span = diagnostic.Location.GetLineSpan();
        var place = span.IsValid ? $"{span.Path.Replace(ProjectFolder, "", StringComparison.Ordinal)}({span.StartLinePosition.Line + 1}): " : "";
        return $"{place}{diagnostic.Id} {diagnostic.GetMessage()}";
    }

    private sealed class MapText(string text) : AdditionalText
    {
        public override string Path => "/repo/ARCHITECTURE.md";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }

    private sealed class ProjectSettings(string assembly) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(new Dictionary<string, string>
        {
            ["build_property.ProjectDir"] = ProjectFolder,
            ["build_property.RootNamespace"] = assembly,
        });

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => new Values([]);

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Values([]);
    }

    private sealed class Values(Dictionary<string, string> values) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) => values.TryGetValue(key, out value);
    }
}
