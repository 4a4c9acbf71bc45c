namespace Berth.Scanner.Reports.Templates;

/// <summary>A part of a template.</summary>
internal abstract record TemplateNode(int Line);

/// <summary>A template with those that it defines.</summary>
/// <param name="Root">What is carried out.</param>
/// <param name="Defined">By name, for <c>template</c>.</param>
internal sealed record TemplateDocument(TemplateBlock Root, IReadOnlyDictionary<string, TemplateBlock> Defined);

/// <summary>Parts one after the other.</summary>
internal sealed record TemplateBlock(IReadOnlyList<TemplateNode> Nodes);

/// <summary>Text that stands for itself.</summary>
internal sealed record TextNode(int Line, string Text) : TemplateNode(Line);

/// <summary>A pipeline whose value is written, unless it is given to variables.</summary>
internal sealed record ActionNode(int Line, Pipeline Pipeline) : TemplateNode(Line);

/// <summary>What a choice is made by.</summary>
internal enum ChoiceKind
{
    If,
    With,
    Range,
}

/// <summary><c>if</c>, <c>with</c> or <c>range</c>.</summary>
internal sealed record ChoiceNode(int Line, ChoiceKind Kind, Pipeline Pipeline, TemplateBlock Body, TemplateBlock Else) : TemplateNode(Line);

/// <summary><c>template</c>: another one is carried out in this place.</summary>
/// <param name="Line">Where it stands.</param>
/// <param name="Name">Its name.</param>
/// <param name="Pipeline">What its dot is; null for nothing.</param>
internal sealed record CallNode(int Line, string Name, Pipeline? Pipeline) : TemplateNode(Line);

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record LeaveNode(int Line, bool IsBreak) : TemplateNode(Line);

/// <summary>Commands, each of which gets the value of the one before as its last argument.</summary>
/// <param name="Line">Where it stands.</param>
/// <param name="Variables">Variables that get the value, or of a range index and element.</param>
/// <param name="IsDeclaration">Whether the variables are new.</param>
/// <param name="Commands">At least one.</param>
internal sealed record Pipeline(int Line, IReadOnlyList<string> Variables, bool IsDeclaration, IReadOnlyList<IReadOnlyList<Operand>> Commands);

/// <summary>A word of a command, with the fields that are asked of it.</summary>
internal abstract record Operand
{
    public IReadOnlyList<string> Fields { get; init; } = [];
}

internal sealed record DotOperand : Operand;

internal sealed record VariableOperand(string Name) : Operand;

internal sealed record LiteralOperand(object? Value) : Operand;

internal sealed record FunctionOperand(string Name) : Operand;

internal sealed record PipelineOperand(Pipeline Pipeline) : Operand;
