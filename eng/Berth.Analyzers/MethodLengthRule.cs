using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Berth.Analyzers;

/// <summary>
/// BERTH003: a method, constructor, operator, accessor or local function has at most <see cref="MaxLines"/> lines, counted from the
/// signature (without attributes and comments) to the end. The statements of a <c>Program.cs</c> without a class count as one method.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MethodLengthRule : DiagnosticAnalyzer
{
    /// <summary>Most lines of a method.</summary>
    public const int MaxLines = 70;

    private static readonly DiagnosticDescriptor Rule = new(
        "BERTH003", "A method has at most 70 lines", "{0} has {1} lines, the limit is {2}", "Berth", DiagnosticSeverity.Error, true);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rule];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSyntaxNodeAction(
            c => CheckNode(c),
            SyntaxKind.MethodDeclaration,
            SyntaxKind.ConstructorDeclaration,
            SyntaxKind.DestructorDeclaration,
            SyntaxKind.OperatorDeclaration,
            SyntaxKind.ConversionOperatorDeclaration,
            SyntaxKind.LocalFunctionStatement,
            SyntaxKind.PropertyDeclaration,
            SyntaxKind.IndexerDeclaration,
            SyntaxKind.GetAccessorDeclaration,
            SyntaxKind.SetAccessorDeclaration,
            SyntaxKind.InitAccessorDeclaration,
            SyntaxKind.AddAccessorDeclaration,
            SyntaxKind.RemoveAccessorDeclaration,
            SyntaxKind.CompilationUnit);
    }

    private static void CheckNode(SyntaxNodeAnalysisContext context)
    {
        var (name, start) = context.Node switch
        {
            MethodDeclarationSyntax method => (method.Identifier.Text, FirstToken(method)),
            ConstructorDeclarationSyntax constructor => ($"the constructor of {constructor.Identifier.Text}", FirstToken(constructor)),
            DestructorDeclarationSyntax finalizer => ($"the finalizer of {finalizer.Identifier.Text}", FirstToken(finalizer)),
            OperatorDeclarationSyntax op => ($"operator {op.OperatorToken.Text}", FirstToken(op)),
            ConversionOperatorDeclarationSyntax conversion => ($"the conversion to {conversion.Type}", FirstToken(conversion)),
            LocalFunctionStatementSyntax local => (local.Identifier.Text, FirstToken(local)),
            // A property with accessors is measured by them.
            PropertyDeclarationSyntax { ExpressionBody: not null } property => (property.Identifier.Text, FirstToken(property)),
            IndexerDeclarationSyntax { ExpressionBody: not null } indexer => ("the indexer", FirstToken(indexer)),
            AccessorDeclarationSyntax accessor => ($"the {accessor.Keyword.Text} accessor", FirstToken(accessor)),
            CompilationUnitSyntax unit => ("the program", unit.Members.OfType<GlobalStatementSyntax>().FirstOrDefault()?.GetFirstToken() ?? default),
            _ => (null, default),
        };
        if (name is null || start == default)
        {
            return;
        }

        var end = context.Node is CompilationUnitSyntax program
            ? program.Members.OfType<GlobalStatementSyntax>().Last().Span.End
            : context.Node.Span.End;
        var lines = context.Node.SyntaxTree.GetLineSpan(TextSpan.FromBounds(start.SpanStart, end), context.CancellationToken);
        var count = lines.EndLinePosition.Line - lines.StartLinePosition.Line + 1;
        if (count > MaxLines)
        {
            context.ReportDiagnostic(Diagnostic.Create(Rule, start.GetLocation(), name, count, MaxLines));
        }
    }

    /// <summary>The first token behind the attributes.</summary>
    private static SyntaxToken FirstToken(SyntaxNode node)
    {
        var token = node.GetFirstToken();
        foreach (var child in node.ChildNodesAndTokens())
        {
            if (child.AsNode() is AttributeListSyntax attributes)
            {
                token = attributes.GetLastToken().GetNextToken();
            }
        }

        return token;
    }
}
