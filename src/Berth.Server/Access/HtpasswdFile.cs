using System.Text;

namespace Berth.Server.Access;

/// <summary>
/// Names and bcrypt hashes of a file written by <c>htpasswd -B</c>. Lines are <c>name:hash</c>; blank lines and lines that begin with
/// <c>#</c> are skipped. Entries with other kinds of hash are kept, so that their names are known to exist, and never match.
/// </summary>
internal sealed class HtpasswdFile
{
    private const int DefaultCost = 10;

    private readonly Dictionary<string, string> _hashes;
    private readonly string _unmatchable;

    private HtpasswdFile(Dictionary<string, string> hashes)
    {
        _hashes = hashes;
        var costs = hashes.Values.Where(Bcrypt.IsHash).Select(Bcrypt.CostOf).ToList();
        _unmatchable = Bcrypt.Unmatchable(costs.Count == 0 ? DefaultCost : costs.Max());
    }

    /// <summary>Names whose hash is of another kind than bcrypt and that can therefore not sign in.</summary>
    public IEnumerable<string> Unusable => _hashes.Where(e => !Bcrypt.IsHash(e.Value)).Select(e => e.Key);

    /// <summary>Reads the text of the file.</summary>
    /// <exception cref="InvalidDataException">A line has no colon.</exception>
    public static HtpasswdFile Parse(byte[] content)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var range in Encoding.UTF8.GetString(content).EnumerateLines())
        {
            number++;
            var line = range.Trim();
            if (line.IsEmpty || line[0] == '#') continue;
            var colon = line.IndexOf(':');
            if (colon < 0) throw new InvalidDataException($"line {number} of the htpasswd file has no colon");
            hashes[line[..colon].ToString()] = line[(colon + 1)..].ToString();
        }
        return new HtpasswdFile(hashes);
    }

    /// <summary>Whether a password is right. A name that does not exist costs as much time as a wrong password.</summary>
    public bool Verify(string name, string password)
    {
        var isKnown = _hashes.TryGetValue(name, out var hash) && Bcrypt.IsHash(hash);
        return Bcrypt.Verify(isKnown ? hash! : _unmatchable, password) && isKnown;
    }
}
