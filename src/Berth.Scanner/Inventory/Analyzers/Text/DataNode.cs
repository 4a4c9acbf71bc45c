namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>
/// A value of a JSON, TOML or YAML document: nothing, a text (numbers and truth values keep their spelling), a list or a map. Asking for what is not there gives
/// <see cref="Missing"/>, so that a parser names the path it wants and hostile shapes end in nothing.
/// </summary>
internal sealed class DataNode
{
    /// <summary>What is not there.</summary>
    public static readonly DataNode Missing = new();

    private readonly Dictionary<string, DataNode>? map;
    private readonly List<DataNode>? list;

    private DataNode()
    {
    }

    /// <summary>A text.</summary>
    public DataNode(string text) => Text = text;

    /// <summary>A list.</summary>
    public DataNode(List<DataNode> items) => list = items;

    /// <summary>A map.</summary>
    public DataNode(Dictionary<string, DataNode> members) => map = members;

    /// <summary>The text, or null when it is none.</summary>
    public string? Text { get; }

    /// <summary>Whether it is a map.</summary>
    public bool IsMap => map is not null;

    /// <summary>Whether it is a list.</summary>
    public bool IsList => list is not null;

    /// <summary>Whether there is anything.</summary>
    public bool Exists => Text is not null || IsMap || IsList;

    /// <summary>Whether it is the text <c>true</c>.</summary>
    public bool IsTrue => Text is "true" or "True";

    /// <summary>Items of a list; empty for anything else.</summary>
    public IReadOnlyList<DataNode> Items => list ?? [];

    /// <summary>Members of a map in their order; empty for anything else.</summary>
    public IReadOnlyCollection<KeyValuePair<string, DataNode>> Members => map ?? (IReadOnlyCollection<KeyValuePair<string, DataNode>>)[];

    /// <summary>A member, or <see cref="Missing"/>.</summary>
    public DataNode this[string key] => map is not null && map.TryGetValue(key, out var node) ? node : Missing;

    /// <summary>Text of a member; empty when there is none.</summary>
    public string Of(string key) => this[key].Text ?? "";

    /// <summary>The map itself, for those who build the document.</summary>
    internal Dictionary<string, DataNode>? Map => map;

    /// <summary>The list itself, for those who build the document.</summary>
    internal List<DataNode>? List => list;
}

/// <summary>Counts the values of a document, so that small text cannot become large memory.</summary>
internal sealed class NodeBudget
{
    /// <summary>Deepest nesting.</summary>
    public const int MaxDepth = 100;

    private int left = 3_000_000;

    /// <summary>Takes one value at a depth.</summary>
    public void Take(int depth)
    {
        if (--left < 0) throw new InvalidDataException("document has too many values");
        if (depth > MaxDepth) throw new InvalidDataException("document is nested too deeply");
    }
}
