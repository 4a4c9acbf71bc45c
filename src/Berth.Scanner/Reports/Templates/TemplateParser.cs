namespace Berth.Scanner.Reports.Templates;

/// <summary>Reads a template into its parts.</summary>
internal sealed class TemplateParser
{
    private const int MaxDepth = 64;
    private const int MaxDefined = 1000;

    private readonly List<Token> tokens;
    private readonly Dictionary<string, TemplateBlock> defined = new(StringComparer.Ordinal);
    private int at;
    private int depth;

    private TemplateParser(List<Token> tokens) => this.tokens = tokens;

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">It is broken.</exception>
    public static TemplateDocument Parse(string text)
    {
        var parser = new TemplateParser(TemplateLexer.Read(text));
        var (block, ending) = parser.Block(isInside: false);
        return ending.Length == 0 ? new TemplateDocument(block, parser.defined) : throw parser.Broken($"\"{ending}\" stands alone");
    }

    // Up to an action that ends the block, whose word has been read; of "else" the rest of the action is still there.
    private (TemplateBlock Block, string Ending) Block(bool isInside)
    {
        if (++depth > MaxDepth) throw Broken("the template is nested too deeply");
        var nodes = new List<TemplateNode>();
        while (true)
        {
            var token = tokens[at];
            switch (token.Kind)
            {
                case TokenKind.End:
                    if (isInside) throw Broken("an \"end\" is missing");
                    depth--;
                    return (new TemplateBlock(nodes), "");
                case TokenKind.Text:
                    at++;
                    nodes.Add(new TextNode(token.Line, token.Text));
                    break;
                default:
                    at++;
                    SkipSpace();
                    if (tokens[at] is { Kind: TokenKind.Word, Text: "end" or "else" } ending)
                    {
                        at++;
                        depth--;
                        return (new TemplateBlock(nodes), ending.Text);
                    }
                    if (Action() is { } node) nodes.Add(node);
                    break;
            }
        }
    }

    // Null for one that leaves nothing in its place.
    private TemplateNode? Action()
    {
        var first = tokens[at];
        if (first.Kind == TokenKind.Word)
        {
            switch (first.Text)
            {
                case "if" or "with" or "range":
                    at++;
                    return Choice(first.Line, first.Text switch { "if" => ChoiceKind.If, "with" => ChoiceKind.With, _ => ChoiceKind.Range });
                case "break" or "continue":
                    at++;
                    Expect(TokenKind.Close);
                    return new LeaveNode(first.Line, first.Text == "break");
                case "define":
                    // Only the outermost block may define.
                    if (depth > 1) throw Broken("a \"define\" stands inside of something else");
                    at++;
                    Define(Name());
                    return null;
                case "block":
                    at++;
                    var name = Name();
                    var dot = Pipe(isRange: false);
                    Define(name);
                    return new CallNode(first.Line, name, dot);
                case "template":
                    at++;
                    var called = Name();
                    SkipSpace();
                    var given = tokens[at].Kind == TokenKind.Close ? null : Pipe(isRange: false);
                    Expect(TokenKind.Close);
                    return new CallNode(first.Line, called, given);
            }
        }
        var pipeline = Pipe(isRange: false);
        Expect(TokenKind.Close);
        return new ActionNode(first.Line, pipeline);
    }

    private string Name()
    {
        SkipSpace();
        return tokens[at++] is { Kind: TokenKind.Literal, Value: string name } ? name : throw Broken("the name of a template is missing");
    }

    // The last one of a name counts, unless it is empty: so that a block is what stands in it where nobody says otherwise.
    private void Define(string name)
    {
        Expect(TokenKind.Close);
        var (body, ending) = Block(isInside: true);
        if (ending != "end") throw Broken("an \"else\" stands alone");
        Expect(TokenKind.Close);
        if (defined.Count >= MaxDefined) throw Broken($"more than {MaxDefined} templates are defined");
        if (!defined.ContainsKey(name) || body.Nodes.Any(static node => node is not TextNode text || !string.IsNullOrWhiteSpace(text.Text))) defined[name] = body;
    }

    private ChoiceNode Choice(int line, ChoiceKind kind)
    {
        var pipeline = Pipe(kind == ChoiceKind.Range);
        Expect(TokenKind.Close);
        var (body, ending) = Block(isInside: true);
        var otherwise = new TemplateBlock([]);
        if (ending == "else")
        {
            SkipSpace();
            // "else if" is an if in the else, with one "end" for both.
            if (tokens[at] is { Kind: TokenKind.Word, Text: "if" or "with" } again)
            {
                at++;
                if (++depth > MaxDepth) throw Broken("the template is nested too deeply");
                otherwise = new TemplateBlock([Choice(again.Line, again.Text == "if" ? ChoiceKind.If : ChoiceKind.With)]);
                depth--;
                return new ChoiceNode(line, kind, pipeline, body, otherwise);
            }
            Expect(TokenKind.Close);
            (otherwise, ending) = Block(isInside: true);
            if (ending == "else") throw Broken("a second \"else\"");
        }
        Expect(TokenKind.Close);
        return new ChoiceNode(line, kind, pipeline, body, otherwise);
    }

    private Pipeline Pipe(bool isRange)
    {
        if (++depth > MaxDepth) throw Broken("the template is nested too deeply");
        SkipSpace();
        var line = tokens[at].Line;
        var (variables, isDeclaration) = Declared(isRange);
        var commands = new List<IReadOnlyList<Operand>> { Command() };
        while (tokens[at] is { Kind: TokenKind.Sign, Text: "|" })
        {
            at++;
            commands.Add(Command());
        }
        depth--;
        return new Pipeline(line, variables, isDeclaration, commands);
    }

    // "$x :=", "$x =", "$i, $x :=": else nothing has been read.
    private (IReadOnlyList<string> Variables, bool IsDeclaration) Declared(bool isRange)
    {
        var start = at;
        var names = new List<string>();
        while (tokens[at].Kind == TokenKind.Variable)
        {
            names.Add(tokens[at++].Text);
            SkipSpace();
            if (tokens[at] is { Kind: TokenKind.Sign, Text: ":=" or "=" } sign)
            {
                if (names.Count > (isRange ? 2 : 1)) throw Broken("too many variables");
                at++;
                return (names, sign.Text == ":=");
            }
            if (tokens[at] is not { Kind: TokenKind.Sign, Text: "," }) break;
            at++;
            SkipSpace();
        }
        at = start;
        return ([], false);
    }

    private List<Operand> Command()
    {
        var operands = new List<Operand>();
        while (true)
        {
            SkipSpace();
            if (tokens[at] is { Kind: TokenKind.Close } or { Kind: TokenKind.Sign, Text: "|" or ")" }) break;
            operands.Add(Word());
        }
        return operands.Count > 0 ? operands : throw Broken("a command is missing");
    }

    private Operand Word()
    {
        var token = tokens[at++];
        Operand operand = token.Kind switch
        {
            TokenKind.Field => new DotOperand { Fields = token.Text.Length > 0 ? [token.Text] : [] },
            TokenKind.Variable => new VariableOperand(token.Text),
            TokenKind.Literal => new LiteralOperand(token.Value),
            TokenKind.Word => token.Text switch
            {
                "true" => new LiteralOperand(true),
                "false" => new LiteralOperand(false),
                "nil" => new LiteralOperand(null),
                _ => TemplateFunctions.IsKnown(token.Text) ? new FunctionOperand(token.Text) : throw Broken($"the function \"{token.Text}\" is not known"),
            },
            TokenKind.Sign when token.Text == "(" => Parenthesis(),
            _ => throw Broken($"\"{token.Text}\" has no meaning here"),
        };
        var fields = new List<string>(operand.Fields);
        while (tokens[at].Kind == TokenKind.Field && tokens[at].Text.Length > 0) fields.Add(tokens[at++].Text);
        return fields.Count == operand.Fields.Count ? operand : operand with { Fields = fields };
    }

    private PipelineOperand Parenthesis()
    {
        var pipeline = Pipe(isRange: false);
        if (tokens[at++] is not { Kind: TokenKind.Sign, Text: ")" }) throw Broken("a \")\" is missing");
        return new PipelineOperand(pipeline);
    }

    private void Expect(TokenKind kind)
    {
        SkipSpace();
        if (tokens[at].Kind != kind) throw Broken($"\"{tokens[at].Text}\" has no meaning here");
        at++;
    }

    private void SkipSpace()
    {
        while (tokens[at].Kind == TokenKind.Space) at++;
    }

    private TemplateException Broken(string why) => new($"line {tokens[Math.Min(at, tokens.Count - 1)].Line} of the template: {why}");
}
