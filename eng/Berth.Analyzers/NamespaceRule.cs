using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Berth.Analyzers;

/// <summary>BERTH002: a namespace is the root namespace of its project and the folders of its file. Generated code is exempt.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NamespaceRule : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor Rule = new(
        "BERTH002", "Namespace equals folder", "The file lies in the folder of {0}, but {1}", "Berth", DiagnosticSeverity.Error, true);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxTreeAction(CheckFile);
    }

    private static void CheckFile(SyntaxTreeAnalysisContext context)
    {
        if (SourceFolder.Of(context.Tree.FilePath, context.Options) is not { } folders ||
            !context.Options.AnalyzerConfigOptionsProvider.GlobalOptions.TryGetValue("build_property.RootNamespace", out var rootNamespace))
        {
            return;
        }

        var expected = string.Join(".", new[] { rootNamespace }.Concat(folders));
        var root = (CompilationUnitSyntax)context.Tree.GetRoot(context.CancellationToken);
        foreach (var member in root.Members)
        {
            if (member is BaseNamespaceDeclarationSyntax space && space.Name.ToString() is var name && name != expected)
            {
                context.ReportDiagnostic(Diagnostic.Create(Rule, space.Name.GetLocation(), expected, $"its namespace is {name}"));
            }
            else if (member is BaseTypeDeclarationSyntax type)
            {
                context.ReportDiagnostic(Diagnostic.Create(Rule, type.Identifier.GetLocation(), expected, $"{type.Identifier.Text} has no namespace"));
            }
        }
    }
}
