using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Berth.Analyzers;

/// <summary>BERTH004: no folder and no type has a name that would fit anything; each is named after what it is.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class NameRule : DiagnosticAnalyzer
{
    private static readonly ImmutableHashSet<string> Folders = ImmutableHashSet.Create(
        StringComparer.OrdinalIgnoreCase, "Services", "Models", "Helpers", "Interfaces", "Common", "Core", "Utils", "Shared");

    private static readonly ImmutableArray<string> Suffixes = ["Service", "Manager", "Helper", "Impl", "Base"];

    private static readonly DiagnosticDescriptor Rule = new(
        "BERTH004", "Folders and types are named after what they are", "{0}", "Berth", DiagnosticSeverity.Error, true);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxTreeAction(CheckFolder);
        context.RegisterSyntaxNodeAction(
            CheckType,
            SyntaxKind.ClassDeclaration,
            SyntaxKind.StructDeclaration,
            SyntaxKind.InterfaceDeclaration,
            SyntaxKind.RecordDeclaration,
            SyntaxKind.RecordStructDeclaration,
            SyntaxKind.EnumDeclaration,
            SyntaxKind.DelegateDeclaration);
    }

    private static void CheckFolder(SyntaxTreeAnalysisContext context)
    {
        var folder = SourceFolder.Of(context.Tree.FilePath, context.Options)?.FirstOrDefault(Folders.Contains);
        if (folder is not null)
        {
            var first = context.Tree.GetRoot(context.CancellationToken).GetFirstToken(includeZeroWidth: true);
            context.ReportDiagnostic(Diagnostic.Create(
                Rule, first.GetLocation(), $"a folder {folder} says nothing about what is in it: put the file with its feature"));
        }
    }

    private static void CheckType(SyntaxNodeAnalysisContext context)
    {
        var name = context.Node switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier,
            DelegateDeclarationSyntax type => type.Identifier,
            _ => default,
        };
        var suffix = Suffixes.FirstOrDefault(s => name.ValueText.EndsWith(s, StringComparison.Ordinal));
        if (suffix is not null)
        {
            context.ReportDiagnostic(Diagnostic.Create(Rule, name.GetLocation(), $"{name.ValueText}: name the type after what it is, not {suffix}"));
        }
    }
}
