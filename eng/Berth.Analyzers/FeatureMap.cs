using System.Collections.Immutable;
using Microsoft.CodeAnalysis.Text;

namespace Berth.Analyzers;

/// <summary>
/// The table of features in <c>ARCHITECTURE.md</c>: for each feature (a folder of <c>src/Berth.Server</c>) its ring and the features
/// of its own ring, or of one further out, that it may use as well.
/// </summary>
/// <remarks>
/// The table is the first Markdown table whose header has the columns <c>Feature</c>, <c>Ring</c> and <c>May also use</c>, in any order
/// and among others. A ring is a number (0 to 3), words after it are for the reader. Names may stand in backquotes; none is written as
/// an empty cell or a dash.
/// </remarks>
public sealed class FeatureMap
{
    /// <summary>Ring 0: every feature may use it, it may use none.</summary>
    public const string Platform = "Platform";

    /// <summary>The root namespace, where the features are put together; it may use all of them. In the table only where one may use it.</summary>
    public const string Composition = "Berth.Server";

    private readonly Dictionary<string, Row> rows = new(StringComparer.Ordinal);

    private FeatureMap()
    {
    }

    /// <summary>What is wrong with the table itself, each with its line in the file. Empty when it can be used.</summary>
    public ImmutableArray<Problem> Problems { get; private set; } = ImmutableArray<Problem>.Empty;

    /// <summary>Whether the table has a row for the feature.</summary>
    public bool Knows(string feature) => feature == Composition || rows.ContainsKey(feature);

    /// <summary>The ring of a feature that the map knows.</summary>
    public int RingOf(string feature) => feature == Composition ? 3 : rows[feature].Ring;

    /// <summary>Whether code of one feature may use another; both are known.</summary>
    public bool Allows(string from, string to)
    {
        if (from == to || from == Composition || to == Platform)
        {
            return true;
        }

        return from != Platform && (RingOf(to) < RingOf(from) || rows[from].MayAlsoUse.Contains(to));
    }

    /// <summary>Reads the table out of the text of <c>ARCHITECTURE.md</c>.</summary>
    public static FeatureMap Parse(SourceText text)
    {
        var map = new FeatureMap();
        var problems = ImmutableArray.CreateBuilder<Problem>();
        var header = FindHeader(text, out var columns);
        if (header is not { } start)
        {
            problems.Add(new Problem(0, "there is no table with the columns Feature, Ring and May also use"));
        }
        else
        {
            for (var line = start + 2; line < text.Lines.Count && Cells(text.Lines[line].ToString()) is { } cells; line++)
            {
                map.AddRow(cells, columns, line, problems);
            }

            map.CheckNames(problems);
        }

        map.Problems = problems.ToImmutable();
        return map;
    }

    private static int? FindHeader(SourceText text, out (int Feature, int Ring, int Uses) columns)
    {
        for (var line = 0; line < text.Lines.Count; line++)
        {
            if (Cells(text.Lines[line].ToString()) is { } cells)
            {
                columns = (Column(cells, "Feature"), Column(cells, "Ring"), Column(cells, "May also use"));
                if (columns.Feature >= 0 && columns.Ring >= 0 && columns.Uses >= 0)
                {
                    return line;
                }
            }
        }

        columns = default;
        return null;
    }

    private static int Column(string[] cells, string title) =>
        Array.FindIndex(cells, cell => string.Equals(cell, title, StringComparison.OrdinalIgnoreCase));

    private static string[]? Cells(string line)
    {
        var trimmed = line.Trim();
        return trimmed.Length > 1 && trimmed[0] == '|'
            ? trimmed.Trim('|').Split('|').Select(cell => cell.Replace("`", "").Trim()).ToArray()
            : null;
    }

    private void AddRow(string[] cells, (int Feature, int Ring, int Uses) columns, int line, ImmutableArray<Problem>.Builder problems)
    {
        if (cells.Length <= Math.Max(columns.Feature, Math.Max(columns.Ring, columns.Uses)))
        {
            problems.Add(new Problem(line, "the row has too few columns"));
            return;
        }

        var feature = cells[columns.Feature];
        var ring = cells[columns.Ring];
        if (feature.Length == 0 || ring.Length == 0 || ring[0] is < '0' or > '3')
        {
            problems.Add(new Problem(line, "the row needs the name of a feature and a ring from 0 to 3"));
            return;
        }

        var uses = cells[columns.Uses].Split(',').Select(name => name.Trim(' ', '-', '–', '—')).Where(name => name.Length > 0);
        if (rows.ContainsKey(feature))
        {
            problems.Add(new Problem(line, $"{feature} has two rows"));
            return;
        }

        rows.Add(feature, new Row(ring[0] - '0', uses.ToImmutableHashSet(StringComparer.Ordinal), line));
    }

    private void CheckNames(ImmutableArray<Problem>.Builder problems)
    {
        if (!rows.ContainsKey(Platform))
        {
            problems.Add(new Problem(0, "the table has no row for Platform"));
        }

        foreach (var (feature, row) in rows.OrderBy(pair => pair.Value.Line).Select(pair => (pair.Key, pair.Value)))
        {
            if (row.Ring == 0 != (feature == Platform))
            {
                problems.Add(new Problem(row.Line, $"ring 0 is Platform alone, {feature} is in ring {row.Ring}"));
            }

            if (feature == Platform && row.MayAlsoUse.Count > 0)
            {
                problems.Add(new Problem(row.Line, "Platform may use no feature"));
            }

            foreach (var name in row.MayAlsoUse.Where(name => !Knows(name)).OrderBy(name => name, StringComparer.Ordinal))
            {
                problems.Add(new Problem(row.Line, $"{feature} may use {name}, which has no row"));
            }
        }
    }

    /// <summary>A fault of the table; the line counts from 0.</summary>
    public readonly struct Problem(int line, string text)
    {
        /// <summary>Line in the file, from 0.</summary>
        public int Line { get; } = line;

        /// <summary>What is wrong.</summary>
        public string Text { get; } = text;
    }

    private sealed class Row(int ring, ImmutableHashSet<string> mayAlsoUse, int line)
    {
        public int Ring { get; } = ring;
        public ImmutableHashSet<string> MayAlsoUse { get; } = mayAlsoUse;
        public int Line { get; } = line;
    }
}
