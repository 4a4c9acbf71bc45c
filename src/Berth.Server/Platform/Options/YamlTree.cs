using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Berth.Server.Platform.Options;

/// <summary>Reads YAML text into a configuration tree with the line of every value, through YamlDotNet's event parser.</summary>
public sealed class YamlTree
{
    /// <summary>Largest configuration file, in characters.</summary>
    public const int MaxCharacters = 1 << 20;

    private const int MaxDepth = 64;
    private const int MaxNodes = 100_000;

    private readonly Dictionary<string, ConfigNode> anchors = [];
    private readonly Func<long, ConfigOrigin> originAt;
    private readonly bool lastKeyWins;
    private readonly IParser parser;
    private int nodes;

    private YamlTree(string text, Func<long, ConfigOrigin> originAt, bool lastKeyWins)
    {
        this.originAt = originAt;
        this.lastKeyWins = lastKeyWins;
        parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads one document. Null with a problem when the text is not YAML; an empty document is a null scalar.</summary>
    /// <param name="text">The document.</param>
    /// <param name="originAt">Origin of what stands on a line, counted from 1.</param>
    /// <param name="problems">Gets what is wrong with the text.</param>
    /// <param name="lastKeyWins">Take the last of several equal keys instead of refusing them.</param>
    public static ConfigNode? Read(string text, Func<long, ConfigOrigin> originAt, ConfigProblems problems, bool lastKeyWins = false)
    {
        if (text.Length > MaxCharacters)
        {
            problems.Add("", originAt(1), $"the file is larger than {MaxCharacters} characters; is it a configuration file?");
            return null;
        }
        try
        {
            return new YamlTree(text, originAt, lastKeyWins).Document();
        }
        catch (YamlException e)
        {
            problems.Add("", originAt(e.Start.Line), $"not valid YAML: {Reason(e)}");
            return null;
        }
    }

    private static string Reason(YamlException e)
    {
        var message = (e.InnerException ?? e).Message;
        return message.Length == 0 ? "" : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');
    }

    private ConfigNode Document()
    {
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
            return new ConfigScalar(null, originAt(1));
        var root = Node(0);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _))
            throw new SemanticErrorException(parser.Current!.Start, parser.Current.End, "the file holds more than one document");
        return root;
    }

    private ConfigNode Node(int depth)
    {
        var current = parser.Current ?? throw new YamlException("the text ends early");
        if (depth > MaxDepth || ++nodes > MaxNodes)
            throw new SemanticErrorException(current.Start, current.End, "the values are nested too deeply, or there are too many");
        if (parser.TryConsume<AnchorAlias>(out var alias))
            return Alias(alias);
        ConfigNode node;
        AnchorName anchor;
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            node = new ConfigScalar(IsNull(scalar) ? null : scalar.Value, originAt(scalar.Start.Line));
            anchor = scalar.Anchor;
        }
        else if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var list = new ConfigList(originAt(sequence.Start.Line));
            while (!parser.TryConsume<SequenceEnd>(out _))
                list.Items.Add(Node(depth + 1));
            node = list;
            anchor = sequence.Anchor;
        }
        else
        {
            var mapping = parser.Consume<MappingStart>();
            node = Map(new ConfigMap(originAt(mapping.Start.Line)), depth);
            anchor = mapping.Anchor;
        }
        if (!anchor.IsEmpty)
            anchors[anchor.Value] = node;
        return node;
    }

    private ConfigMap Map(ConfigMap map, int depth)
    {
        var merged = new List<ConfigMap>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
                throw new SemanticErrorException(parser.Current!.Start, parser.Current.End, "a key must be a word");
            var value = Node(depth + 1);
            if (key is { Value: "<<", Style: ScalarStyle.Plain })
            {
                merged.AddRange(value is ConfigList list ? list.Items.OfType<ConfigMap>() : value is ConfigMap one ? [one] : []);
                continue;
            }
            if (!lastKeyWins && map.Contains(key.Value))
                throw new SemanticErrorException(key.Start, key.End, $"the key \"{key.Value}\" is there twice; remove one");
            map.Set(key.Value, value);
        }
        foreach (var (key, value) in merged.SelectMany(other => other.Entries))
        {
            if (!map.Contains(key))
                map.Set(key, value);
        }
        return map;
    }

    private ConfigNode Alias(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value.Value, out var target))
            throw new SemanticErrorException(alias.Start, alias.End, $"the anchor \"{alias.Value.Value}\" is not defined above this line");
        nodes += Count(target);
        if (nodes > MaxNodes)
            throw new SemanticErrorException(alias.Start, alias.End, "the aliases expand to too many values");
        return target.Copy();
    }

    private static int Count(ConfigNode node) => 1 + node switch
    {
        ConfigList list => list.Items.Sum(Count),
        ConfigMap map => map.Entries.Sum(entry => Count(entry.Value)),
        _ => 0,
    };

    private static bool IsNull(Scalar scalar) => scalar.Style == ScalarStyle.Plain && (scalar.Value is "" or "~" or "null" or "Null" or "NULL");
}
