using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Berth.Analyzers;

/// <summary>
/// BERTH001: inside <c>Berth.Server</c> a feature uses Platform, features of the rings within its own, and what its row in the map of
/// <c>ARCHITECTURE.md</c> adds. The report stands at the line that breaks it, once for each feature used there.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DependencyRule : DiagnosticAnalyzer
{
    /// <summary>The file with the map, given to the compiler as an additional file.</summary>
    public const string MapFile = "ARCHITECTURE.md";

    private const string Root = FeatureMap.Composition;

    private static readonly DiagnosticDescriptor Rule = new(
        "BERTH001", "A feature uses only what the map in ARCHITECTURE.md allows", "{0}", "Berth", DiagnosticSeverity.Error, true,
        customTags: [WellKnownDiagnosticTags.NotConfigurable]);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        // Pages are generated from .razor files, and a page keeps the rule too; CheckFile leaves out all else that is generated.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(Start);
    }

    private static void Start(CompilationStartAnalysisContext context)
    {
        if (context.Compilation.AssemblyName != Root)
        {
            return;
        }

        var file = context.Options.AdditionalFiles.FirstOrDefault(f => Path.GetFileName(f.Path) == MapFile);
        if (file?.GetText(context.CancellationToken) is not { } text)
        {
            context.RegisterCompilationEndAction(end =>
                end.ReportDiagnostic(Diagnostic.Create(Rule, Location.None, $"{MapFile} is not among the additional files of {Root}")));
            return;
        }

        var map = FeatureMap.Parse(text);
        if (map.Problems.Length > 0)
        {
            context.RegisterCompilationEndAction(end =>
            {
                foreach (var problem in map.Problems)
                {
                    var line = text.Lines[problem.Line];
                    var at = Location.Create(file.Path, line.Span, text.Lines.GetLinePositionSpan(line.Span));
                    end.ReportDiagnostic(Diagnostic.Create(Rule, at, problem.Text));
                }
            });
            return;
        }

        var features = new ConcurrentDictionary<INamespaceSymbol, string?>(SymbolEqualityComparer.Default);
        var names = new FeatureNames(context.Compilation, map);
        context.RegisterSemanticModelAction(model => CheckFile(model, map, names, features));
    }

    private static void CheckFile(
        SemanticModelAnalysisContext context, FeatureMap map, FeatureNames declared, ConcurrentDictionary<INamespaceSymbol, string?> features)
    {
        if (context.IsGeneratedCode && !context.SemanticModel.SyntaxTree.FilePath.EndsWith("_razor.g.cs", StringComparison.Ordinal))
        {
            return;
        }

        var root = (CompilationUnitSyntax)context.SemanticModel.SyntaxTree.GetRoot(context.CancellationToken);
        var names = root.DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
            .OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault()?.Name;
        if (FeatureOf(names?.ToString() ?? Root) is not { } from)
        {
            return;
        }

        if (!map.Knows(from))
        {
            var message = $"{from} has no row in the map of {MapFile}: give it a ring, and what it may use beside the rings within";
            context.ReportDiagnostic(Diagnostic.Create(Rule, names!.GetLocation(), message));
            return;
        }

        // The composition root may use everything: there is nothing to ask the compiler about.
        if (from == Root)
        {
            return;
        }

        var suspects = declared.SuspectsOf(from);
        var seen = new HashSet<(int Line, string Feature)>();
        // The name in a namespace declaration is the feature's own: its parts are left out.
        foreach (var node in root.DescendantNodes(parent => parent is not NameSyntax { Parent: BaseNamespaceDeclarationSyntax }))
        {
            if (UsedFeature(node, suspects, context.SemanticModel, features, context.CancellationToken) is { } to && to != from &&
                !(map.Knows(to) && map.Allows(from, to)) && seen.Add((LineOf(node), to)))
            {
                context.ReportDiagnostic(Diagnostic.Create(Rule, node.GetLocation(), Explain(map, from, to)));
            }
        }
    }

    private static string Explain(FeatureMap map, string from, string to)
    {
        if (!map.Knows(to))
        {
            return $"{from} uses {to}, which has no row in the map of {MapFile}";
        }

        return from == FeatureMap.Platform
            ? $"Platform uses {to}, but Platform knows no feature: turn the dependency round"
            : $"{from} (ring {map.RingOf(from)}) uses {to} (ring {map.RingOf(to)}), which its row in the map of {MapFile} does not allow";
    }

    private static int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line;

    /// <summary>The feature whose type, member or namespace a node names; null for everything else.</summary>
    private static string? UsedFeature(
        SyntaxNode node, HashSet<string> suspects, SemanticModel model, ConcurrentDictionary<INamespaceSymbol, string?> features, CancellationToken ct)
    {
        // "new()" names nothing but uses its type.
        if (node is not ImplicitObjectCreationExpressionSyntax && !(node is SimpleNameSyntax name && suspects.Contains(name.Identifier.ValueText)))
        {
            return null;
        }

        var info = model.GetSymbolInfo(node, ct);
        var symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
        if (symbol is INamespaceSymbol space)
        {
            return IsWholeName(node) ? features.GetOrAdd(space, FeatureOf) : null;
        }

        if (symbol is null or ILocalSymbol or IParameterSymbol or ITypeParameterSymbol or IRangeVariableSymbol or ILabelSymbol or IDiscardSymbol ||
            !SymbolEqualityComparer.Default.Equals(symbol.ContainingAssembly, model.Compilation.Assembly))
        {
            return null;
        }

        return symbol.ContainingNamespace is { } home ? features.GetOrAdd(home, FeatureOf) : null;
    }

    /// <summary>A namespace counts where it is named to its end: in a using, not as the beginning of a longer name.</summary>
    private static bool IsWholeName(SyntaxNode node)
    {
        var name = node;
        while (name.Parent is QualifiedNameSyntax qualified && qualified.Right == name)
        {
            name = qualified;
        }

        return name.Parent is UsingDirectiveSyntax;
    }

    private static string? FeatureOf(INamespaceSymbol space) => FeatureOf(space.ToDisplayString());

    private static string? FeatureOf(string name)
    {
        if (name == Root)
        {
            return Root;
        }

        return name.StartsWith(Root + ".", StringComparison.Ordinal) ? name.Substring(Root.Length + 1).Split('.')[0] : null;
    }
}
