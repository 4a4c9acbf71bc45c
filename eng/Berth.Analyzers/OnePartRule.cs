using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Berth.Analyzers;

/// <summary>
/// BERTH005: a file is read from top to bottom and a type in one place: no <c>#region</c>, and <c>partial</c> only on a declaration
/// that a source generator completes. The members that call for it stand in that very declaration, so a type that contains such a
/// type does not become partial itself. The code behind a Razor page is exempt.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class OnePartRule : DiagnosticAnalyzer
{
    private static readonly ImmutableHashSet<string> GeneratorAttributes = ImmutableHashSet.Create(
        StringComparer.Ordinal, "LoggerMessage", "GeneratedRegex", "LibraryImport");

    private static readonly DiagnosticDescriptor Rule = new(
        "BERTH005", "No regions, and partial only for a source generator", "{0}", "Berth", DiagnosticSeverity.Error, true);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxTreeAction(CheckRegions);
        context.RegisterSyntaxNodeAction(
            CheckPartial,
            SyntaxKind.ClassDeclaration,
            SyntaxKind.StructDeclaration,
            SyntaxKind.InterfaceDeclaration,
            SyntaxKind.RecordDeclaration,
            SyntaxKind.RecordStructDeclaration);
    }

    private static void CheckRegions(SyntaxTreeAnalysisContext context)
    {
        var root = (CompilationUnitSyntax)context.Tree.GetRoot(context.CancellationToken);
        for (var directive = root.GetFirstDirective(); directive is not null; directive = directive.GetNextDirective())
        {
            if (directive.IsKind(SyntaxKind.RegionDirectiveTrivia))
            {
                context.ReportDiagnostic(Diagnostic.Create(Rule, directive.GetLocation(), "a region hides code: split the type or the method"));
            }
        }
    }

    private static void CheckPartial(SyntaxNodeAnalysisContext context)
    {
        var type = (TypeDeclarationSyntax)context.Node;
        var partial = type.Modifiers.FirstOrDefault(modifier => modifier.IsKind(SyntaxKind.PartialKeyword));
        if (partial == default || type.SyntaxTree.FilePath.EndsWith(".razor.cs", StringComparison.Ordinal))
        {
            return;
        }

        var isSerializerContext = type.BaseList?.Types.Any(t => LastName(t.Type) == "JsonSerializerContext") == true;
        var hasGeneratedMember = type.Members.Any(member =>
            member.AttributeLists.SelectMany(list => list.Attributes).Any(a => GeneratorAttributes.Contains(WithoutSuffix(LastName(a.Name)))));
        if (!isSerializerContext && !hasGeneratedMember)
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rule, partial.GetLocation(), $"no source generator completes {type.Identifier.ValueText} here: keep the type in one place"));
        }
    }

    private static string LastName(TypeSyntax type) => type switch
    {
        QualifiedNameSyntax qualified => qualified.Right.Identifier.ValueText,
        AliasQualifiedNameSyntax aliased => aliased.Name.Identifier.ValueText,
        SimpleNameSyntax simple => simple.Identifier.ValueText,
        _ => "",
    };

    private static string WithoutSuffix(string name) =>
        name.EndsWith("Attribute", StringComparison.Ordinal) ? name.Substring(0, name.Length - "Attribute".Length) : name;
}
