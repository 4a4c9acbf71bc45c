using System.Text;

namespace Berth.Scanner.Sbom;

/// <summary>Licences as package databases write them, in the forms that bills of materials take.</summary>
internal static class SpdxLicense
{
    private const int MaxLength = 1024;

    /// <summary>Words of old that are identifiers today.</summary>
    private static readonly Dictionary<string, string> Renamed = new(StringComparer.OrdinalIgnoreCase)
    {
        ["GPL-1"] = "GPL-1.0-only",
        ["GPL-2"] = "GPL-2.0-only",
        ["GPL-3"] = "GPL-3.0-only",
        ["GPL-1+"] = "GPL-1.0-or-later",
        ["GPL-2+"] = "GPL-2.0-or-later",
        ["GPL-3+"] = "GPL-3.0-or-later",
        ["LGPL-2"] = "LGPL-2.0-only",
        ["LGPL-2+"] = "LGPL-2.0-or-later",
        ["LGPL-2.1+"] = "LGPL-2.1-or-later",
        ["LGPL-3"] = "LGPL-3.0-only",
        ["LGPL-3+"] = "LGPL-3.0-or-later",
        ["Expat"] = "MIT",
        ["BSD-3-clause"] = "BSD-3-Clause",
        ["BSD-2-clause"] = "BSD-2-Clause",
        ["Apache-2"] = "Apache-2.0",
        ["ASL 2.0"] = "Apache-2.0",
        ["GPLv2"] = "GPL-2.0-only",
        ["GPLv2+"] = "GPL-2.0-or-later",
        ["GPLv3"] = "GPL-3.0-only",
        ["GPLv3+"] = "GPL-3.0-or-later",
        ["LGPLv2"] = "LGPL-2.0-only",
        ["LGPLv2+"] = "LGPL-2.0-or-later",
        ["LGPLv3"] = "LGPL-3.0-only",
        ["LGPLv3+"] = "LGPL-3.0-or-later",
        ["MPLv2.0"] = "MPL-2.0",
        ["zlib"] = "Zlib",
        ["GPL2"] = "GPL-2.0-only",
    };

    /// <summary>Identifiers that this program writes as such; others become references (SPDX) or names (CycloneDX).</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "0BSD", "AFL-2.1", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-1.1", "Apache-2.0", "Artistic-1.0", "Artistic-1.0-Perl", "Artistic-2.0", "BSD-1-Clause",
        "BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-3-Clause", "BSD-4-Clause", "BSL-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDDL-1.0",
        "CDDL-1.1", "curl", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.2", "FTL", "GFDL-1.3-only", "GFDL-1.3-or-later", "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0-only",
        "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ICU", "IJG", "ISC", "LGPL-2.0-only", "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later",
        "LGPL-3.0-only", "LGPL-3.0-or-later", "Libpng", "libpng-2.0", "libtiff", "MIT", "MIT-0", "MPL-1.1", "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1", "OpenSSL", "PHP-3.01",
        "PostgreSQL", "PSF-2.0", "Python-2.0", "Ruby", "Sleepycat", "TCL", "Unicode-DFS-2016", "Unlicense", "UPL-1.0", "Vim", "W3C", "WTFPL", "X11", "Zlib", "ZPL-2.1",
        "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1",
    };

    /// <summary>Exceptions that may follow WITH.</summary>
    private static readonly HashSet<string> Exceptions = new(StringComparer.Ordinal)
    {
        "Autoconf-exception-3.0", "Bison-exception-2.2", "Classpath-exception-2.0", "Font-exception-2.0", "GCC-exception-3.1", "LLVM-exception", "Linux-syscall-note", "openvpn-openssl-exception",
    };

    /// <summary>The identifier of a licence; null when it has none that is known here.</summary>
    public static string? Identifier(string licence)
    {
        licence = licence.Trim();
        if (Renamed.TryGetValue(licence, out var renamed))
            return renamed;
        return Known.Contains(licence) ? licence : null;
    }

    /// <summary>The licence as an expression of identifiers that are known here (SPDX 2.3, annex D); null when it is none.</summary>
    public static string? Expression(string licence)
    {
        if (Identifier(licence) is { } one)
            return one;
        if (licence.Length > MaxLength || !licence.Contains(' '))
            return null;
        var words = licence.Replace("(", " ( ", StringComparison.Ordinal).Replace(")", " ) ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var made = new StringBuilder();
        var (open, wantsName) = (0, true);
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            var isException = i > 0 && words[i - 1] == "WITH";
            if (word == "(" && wantsName && !isException)
                open++;
            else if (word == ")" && !wantsName && open > 0)
                open--;
            else if (wantsName && (isException ? Exceptions.Contains(word) : Identifier(word) is not null))
                (word, wantsName) = (isException ? word : Identifier(word)!, false);
            else if (!wantsName && word is "AND" or "OR" or "WITH")
                wantsName = true;
            else
                return null;
            if (made.Length > 0 && word != ")" && made[^1] != '(')
                made.Append(' ');
            made.Append(word);
        }
        return wantsName || open > 0 ? null : made.ToString();
    }

    /// <summary>The text cut to a length that documents can carry.</summary>
    public static string Name(string licence) => licence.Length <= MaxLength ? licence : licence[..MaxLength];

    /// <summary>A reference that a licence without an identifier is named by inside one SPDX document.</summary>
    public static string Reference(string licence)
    {
        var text = new StringBuilder("LicenseRef-");
        foreach (var c in Name(licence))
            text.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-');
        return text.ToString();
    }
}
