using System.Globalization;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.NuGet;

/// <summary>
/// NuGet: Semantic Versioning with a fourth number, labels without case; metadata does not count. A label is a number when it fits in 32 bits,
/// even with a minus in front, as in <c>1.0.0--1</c>.
/// </summary>
public sealed class NuGetVersionOrder : SemanticVersionOrder
{
    protected override int CompareLabels(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        bool leftIs = TryNumber(left, out var a), rightIs = TryNumber(right, out var b);
        if (leftIs && rightIs)
            return a.CompareTo(b);
        return leftIs != rightIs ? (leftIs ? -1 : 1) : left.CompareTo(right, StringComparison.OrdinalIgnoreCase);
    }

    private static bool TryNumber(ReadOnlySpan<char> label, out int number) =>
        int.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}
