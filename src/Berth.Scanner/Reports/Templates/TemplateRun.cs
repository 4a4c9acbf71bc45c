using System.Text;

namespace Berth.Scanner.Reports.Templates;

/// <summary>Carries a template out, once. Steps and output are bounded.</summary>
internal sealed class TemplateRun(TemplateFunctions functions)
{
    // Templates within templates, each of which may be nested as deeply as one may be.
    private const int MaxCalls = 100;

    private const int MaxSteps = 10_000_000;
    private const int MaxOutput = 256 * 1024 * 1024;

    private enum Leaving
    {
        No,
        Continue,
        Break,
    }

    private readonly StringBuilder output = new();
    private readonly List<(string Name, object? Value)> variables = [];
    private IReadOnlyDictionary<string, TemplateBlock> defined = new Dictionary<string, TemplateBlock>();
    private int steps;
    private int calls;

    // Where the variables of the present template begin: it sees no others.
    private int scope;

    /// <summary>The text.</summary>
    /// <param name="template">The template.</param>
    /// <param name="data">What the dot is.</param>
    /// <exception cref="TemplateException">It cannot be carried out.</exception>
    public string Carry(TemplateDocument template, object? data)
    {
        defined = template.Defined;
        variables.Add(("$", data));
        Walk(template.Root, data);
        return output.ToString();
    }

    private Leaving Walk(TemplateBlock block, object? dot)
    {
        var mark = variables.Count;
        foreach (var node in block.Nodes)
        {
            if (++steps > MaxSteps) throw Failed(node.Line, "the template does too much");
            switch (node)
            {
                case TextNode text:
                    Write(node.Line, text.Text);
                    break;
                case ActionNode action:
                    var value = Evaluate(action.Pipeline, dot);
                    if (action.Pipeline.Variables.Count == 0) Write(node.Line, TemplateValues.Print(value));
                    break;
                case CallNode call:
                    Call(call, dot);
                    break;
                case LeaveNode leave:
                    variables.RemoveRange(mark, variables.Count - mark);
                    return leave.IsBreak ? Leaving.Break : Leaving.Continue;
                case ChoiceNode choice:
                    if (Choose(choice, dot) is not Leaving.No and var leaving)
                    {
                        variables.RemoveRange(mark, variables.Count - mark);
                        return leaving;
                    }
                    break;
            }
        }
        variables.RemoveRange(mark, variables.Count - mark);
        return Leaving.No;
    }

    private void Call(CallNode call, object? dot)
    {
        if (!defined.TryGetValue(call.Name, out var body)) throw Failed(call.Line, $"the template \"{call.Name}\" is not defined");
        if (++calls > MaxCalls) throw Failed(call.Line, "templates call each other too deeply");
        var value = call.Pipeline is null ? null : Evaluate(call.Pipeline, dot);
        var (mark, outer) = (variables.Count, scope);
        scope = mark;
        variables.Add(("$", value));
        Walk(body, value);
        variables.RemoveRange(mark, variables.Count - mark);
        scope = outer;
        calls--;
    }

    private Leaving Choose(ChoiceNode choice, object? dot)
    {
        var mark = variables.Count;
        if (choice.Kind == ChoiceKind.Range) return Range(choice, dot);
        var value = Evaluate(choice.Pipeline, dot);
        var leaving = TemplateValues.IsTrue(value) ? Walk(choice.Body, choice.Kind == ChoiceKind.With ? value : dot) : Walk(choice.Else, dot);
        variables.RemoveRange(mark, variables.Count - mark);
        return leaving;
    }

    private Leaving Range(ChoiceNode choice, object? dot)
    {
        var pipeline = choice.Pipeline;
        var value = Evaluate(pipeline with { Variables = [] }, dot);
        var items = TemplateValues.Items(value) ?? throw Failed(choice.Line, "range needs a list, a map or a number");
        var isEmpty = true;
        foreach (var (key, item) in items)
        {
            isEmpty = false;
            if (++steps > MaxSteps) throw Failed(choice.Line, "the template does too much");
            var mark = variables.Count;
            for (var i = 0; i < pipeline.Variables.Count; i++) Set(pipeline, i, pipeline.Variables.Count == 2 && i == 0 ? key : item);
            var leaving = Walk(choice.Body, item);
            variables.RemoveRange(mark, variables.Count - mark);
            if (leaving == Leaving.Break) break;
        }
        return isEmpty ? Walk(choice.Else, dot) : Leaving.No;
    }

    private object? Evaluate(Pipeline pipeline, object? dot)
    {
        object? value = null;
        for (var i = 0; i < pipeline.Commands.Count; i++) value = Evaluate(pipeline, pipeline.Commands[i], dot, i > 0, value);
        for (var i = 0; i < pipeline.Variables.Count; i++) Set(pipeline, i, value);
        return value;
    }

    private object? Evaluate(Pipeline pipeline, IReadOnlyList<Operand> command, object? dot, bool isPiped, object? piped)
    {
        if (++steps > MaxSteps) throw Failed(pipeline.Line, "the template does too much");
        if (command[0] is not FunctionOperand function)
        {
            if (command.Count > 1 || isPiped) throw Failed(pipeline.Line, "what is no function takes no arguments");
            return ValueOf(pipeline, command[0], dot);
        }
        // "and" and "or" stop at the first that decides.
        if (function.Name is "and" or "or")
        {
            object? last = null;
            foreach (var operand in command.Skip(1))
            {
                last = ValueOf(pipeline, operand, dot);
                if (TemplateValues.IsTrue(last) == (function.Name == "or")) return last;
            }
            return isPiped ? piped : last;
        }
        var arguments = command.Skip(1).Select(operand => ValueOf(pipeline, operand, dot)).ToList();
        if (isPiped) arguments.Add(piped);
        return Call(pipeline, function, arguments);
    }

    private object? ValueOf(Pipeline pipeline, Operand operand, object? dot)
    {
        var value = operand switch
        {
            DotOperand => dot,
            VariableOperand variable => Get(pipeline, variable.Name),
            LiteralOperand literal => literal.Value,
            PipelineOperand inner => Evaluate(inner.Pipeline, dot),
            FunctionOperand function => Call(pipeline, function with { Fields = [] }, []),
            _ => throw new InvalidOperationException("an operand of an unknown kind"),
        };
        return operand.Fields.Aggregate(value, TemplateValues.Field);
    }

    private object? Call(Pipeline pipeline, FunctionOperand function, List<object?> arguments)
    {
        try
        {
            return function.Fields.Aggregate(functions.Call(function.Name, arguments), TemplateValues.Field);
        }
        catch (TemplateException e)
        {
            throw Failed(pipeline.Line, $"{function.Name}: {e.Message}");
        }
    }

    private object? Get(Pipeline pipeline, string name)
    {
        var at = variables.FindLastIndex(variable => variable.Name == name);
        return at >= scope ? variables[at].Value : throw Failed(pipeline.Line, $"the variable {name} is not declared");
    }

    private void Set(Pipeline pipeline, int index, object? value)
    {
        var name = pipeline.Variables[index];
        if (pipeline.IsDeclaration)
        {
            variables.Add((name, value));
            return;
        }
        var at = variables.FindLastIndex(variable => variable.Name == name);
        if (at < scope) throw Failed(pipeline.Line, $"the variable {name} is not declared");
        variables[at] = (name, value);
    }

    private void Write(int line, string text)
    {
        if (output.Length + (long)text.Length > MaxOutput) throw Failed(line, $"the report has more than {MaxOutput} characters");
        output.Append(text);
    }

    private static TemplateException Failed(int line, string why) => new($"line {line} of the template: {why}");
}
