using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Versions.Pep440;

/// <summary>One version specifier of PEP 440, such as <c>~=1.4.2</c> or <c>==3.1.*</c>.</summary>
internal static class Pep440Specifier
{
    /// <summary>Null when the specifier cannot be read.</summary>
    public static bool? Holds(Pep440Version version, ReadOnlySpan<char> operation, ReadOnlySpan<char> bound)
    {
        if (operation is "===")
            return bound.Equals(version.Canonical(), StringComparison.OrdinalIgnoreCase);
        if (bound is "*" && operation is "" or "==" or "=")
            return true;
        if (bound.EndsWith(".*", StringComparison.Ordinal))
        {
            if (!Pep440Version.TryParse(bound[..^2], out var prefix) || operation is not ("" or "=" or "==" or "!="))
                return null;
            return HasPrefix(version, prefix) != (operation is "!=");
        }
        if (!Pep440Version.TryParse(bound, out var limit))
            return null;
        var compared = Pep440VersionOrder.ComparePublic(version, limit);
        return operation switch
        {
            "" or "=" or "==" => Equal(version, limit, compared),
            "!=" => !Equal(version, limit, compared),
            "<=" => compared <= 0,
            ">=" => compared >= 0,
            // A bare "<" does not take the prereleases of its own release, a bare ">" neither its post releases nor its local versions (PEP 440, exclusive ordered comparison).
            "<" => compared < 0 && (limit.IsPrerelease || !version.IsPrerelease || !SameRelease(version, limit)),
            ">" => compared > 0 && (limit.HasPost || !version.HasPost || !SameRelease(version, limit)),
            "~=" or "~>" => compared >= 0 && Compatible(version, limit),
            _ => null,
        };
    }

    private static bool Equal(Pep440Version version, Pep440Version limit, int compared) =>
        compared == 0 && (limit.Local.IsEmpty || Pep440VersionOrder.CompareLocal(version.Local, limit.Local) == 0);

    private static bool SameRelease(Pep440Version left, Pep440Version right) =>
        Digits.Compare(left.Epoch, right.Epoch) == 0 && SemanticVersion.CompareNumbers(left.Release, right.Release) == 0;

    private static bool Compatible(Pep440Version version, Pep440Version limit)
    {
        var dot = limit.Release.LastIndexOf('.');
        return dot < 0 || HasPrefix(version, new Pep440Version { Epoch = limit.Epoch, Release = limit.Release[..dot] });
    }

    private static bool HasPrefix(Pep440Version version, Pep440Version prefix)
    {
        if (Digits.Compare(version.Epoch, prefix.Epoch) != 0)
            return false;
        ReadOnlySpan<char> numbers = version.Release, wanted = prefix.Release;
        while (!wanted.IsEmpty)
        {
            if (Digits.Compare(SemanticVersion.Next(ref numbers), SemanticVersion.Next(ref wanted)) != 0)
                return false;
        }
        return prefix.PreKind == 0 || (prefix.PreKind == version.PreKind && Digits.Compare(prefix.PreNumber, version.PreNumber) == 0);
    }
}
