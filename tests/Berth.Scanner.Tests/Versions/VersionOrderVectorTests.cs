using Berth.Scanner.Versions;
using Berth.Scanner.Versions.Semantic;

namespace Berth.Scanner.Tests.Versions;

/// <summary>The vectors of Data/version-order: answers of the programs whose order it is.</summary>
public sealed class VersionOrderVectorTests
{
    private static readonly Dictionary<string, VersionOrder> Orders = new()
    {
        ["dpkg"] = VersionOrders.Dpkg,
        ["rpm"] = VersionOrders.Rpm,
        ["apk"] = VersionOrders.Apk,
        ["semver"] = VersionOrders.Npm,
        ["pep440"] = VersionOrders.Pep440,
        ["maven"] = VersionOrders.Maven,
        ["gem"] = VersionOrders.RubyGems,
        ["nuget"] = VersionOrders.NuGet,
        ["go"] = VersionOrders.Go,
        ["composer"] = VersionOrders.Composer,
    };

    [Theory]
    [InlineData("dpkg")]
    [InlineData("rpm")]
    [InlineData("apk")]
    [InlineData("semver")]
    [InlineData("pep440")]
    [InlineData("maven")]
    [InlineData("gem")]
    [InlineData("nuget")]
    [InlineData("go")]
    [InlineData("composer")]
    public void Every_pair_compares_as_the_program_does(string scheme)
    {
        var order = Orders[scheme];
        var wrong = new List<string>();
        foreach (var row in Rows(scheme))
        {
            int forward = Math.Sign(order.Compare(row[0], row[1])), back = Math.Sign(order.Compare(row[1], row[0]));
            if (forward != int.Parse(row[2]) || back != -forward)
                wrong.Add($"{row[0]} {row[1]}: expected {row[2]}, got {forward} and back {back}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(60))}");
    }

    [Theory]
    [InlineData("npm-range")]
    [InlineData("npm-range-prerelease")]
    [InlineData("pep440-specifier")]
    [InlineData("gem-requirement")]
    [InlineData("composer-constraint")]
    public void Every_range_holds_what_the_program_says(string file)
    {
        var wrong = new List<string>();
        foreach (var row in Rows(file))
        {
            var held = file switch
            {
                "npm-range" => VersionOrders.Npm.Satisfies(row[0], row[1]),
                "npm-range-prerelease" => NpmRange.Contains(row[0], row[1], includePrerelease: true),
                "pep440-specifier" => VersionOrders.Pep440.Satisfies(row[0], row[1]),
                "gem-requirement" => VersionOrders.RubyGems.Satisfies(row[0], row[1]),
                _ => VersionOrders.Composer.Satisfies(row[0], row[1]),
            };
            if ((held == true) != (row[2] == "1"))
                wrong.Add($"{row[0]} in '{row[1]}': expected {row[2]}, got {held?.ToString() ?? "unreadable"}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n{string.Join('\n', wrong.Take(60))}");
    }

    [Theory]
    [InlineData("2.9.1", ">= 2.0.0, <= 2.9.10.3", true)]
    [InlineData("2.9.10.7", "[2.9.0,2.9.10.7)", false)]
    [InlineData("2.9.10.6", "[2.9.0,2.9.10.7)", true)]
    [InlineData("1.5", "(,1.0],[1.2,)", true)]
    [InlineData("1.1", "(,1.0],[1.2,)", false)]
    [InlineData("1.0", "[1.0]", true)]
    [InlineData("1.0", "[1.0", null)]
    public void Maven_takes_intervals_and_comparators(string version, string range, bool? held) =>
        Assert.Equal(held, VersionOrders.Maven.Satisfies(version, range));

    [Theory]
    [InlineData("v2.7.1+incompatible", "< v2.8.0", true)]
    [InlineData("0.3.6", ">= 0, < 0.3.7", true)]
    [InlineData("1.2.5", "~1.2.3", true)]
    [InlineData("1.3.0", "~1.2.3", false)]
    [InlineData("0.2.9", "^0.2.3", true)]
    [InlineData("0.3.0", "^0.2.3", false)]
    [InlineData("2.1.4", ">= 3.1.0 || >= 2.1.3, < 3.0.0", true)]
    [InlineData("abc", "< 1", null)]
    [InlineData("1", "nonsense", null)]
    public void Semantic_comparators_hold_as_advisories_write_them(string version, string range, bool? held) =>
        Assert.Equal(held, VersionOrders.Go.Satisfies(version, range));

    [Theory]
    [InlineData("nuget", "1.0.0-3", "1.0.0--3", 1)]
    [InlineData("nuget", "1.0.0-0", "1.0.0--00", 0)]
    [InlineData("nuget", "1.0.0-rc.12345678901", "1.0.0-rc.9", 1)]
    [InlineData("pep440", "2.4b_", "2.4b0", 0)]
    [InlineData("pep440", "2.4.post.", "2.4.post0", 0)]
    [InlineData("pep440", "2.4rc--3", "2.4rc0.post3", 0)]
    [InlineData("pep440", "2.4dev-", "2.4.dev0", 0)]
    [InlineData("composer", "7.2-stable3", "7.2", 0)]
    [InlineData("composer", "7.2-stable-dev", "7.2", 0)]
    [InlineData("composer", "7.x-dev", "7.*-dev", 0)]
    [InlineData("composer", "7.2.x-dev", "7.x-dev", -1)]
    [InlineData("composer", "7.2.x-dev", "7.2.999", 1)]
    [InlineData("composer", "7.x-dev", "dev-trial", 1)]
    public void Odd_spellings_compare_as_the_program_does(string scheme, string left, string right, int expected)
    {
        Assert.Equal(expected, Math.Sign(Orders[scheme].Compare(left, right)));
        Assert.Equal(-expected, Math.Sign(Orders[scheme].Compare(right, left)));
    }

    [Theory]
    [InlineData("pep440", "5.1c2", "===5.1c2", false)]
    [InlineData("pep440", "5.1c2", "===5.1RC2", true)]
    [InlineData("pep440", "01!5.01-3+Local_07", "===1!5.1.post3+local.7", true)]
    [InlineData("pep440", "1!5.1", "==1!5.1,!=1!5.2", true)]
    [InlineData("pep440", "5.1", "<1!5.0", true)]
    [InlineData("semver", "3.1.4-beta.2", "^3.1.4-beta.1 || *", false)]
    [InlineData("semver", "0.0.0-beta", ">=0.0.0 <2.1.0 >0.0.0-alpha", true)]
    [InlineData("composer", "6.2@beta", "<=6.2@beta", false)]
    [InlineData("composer", "6.2-beta", "<=6.2@beta", true)]
    [InlineData("composer", "6.2", ">=dev-trial", false)]
    [InlineData("composer", "6.2", "!=dev-trial", true)]
    [InlineData("composer", "dev-trial", "dev-trial", true)]
    public void Odd_ranges_hold_what_the_program_says(string scheme, string version, string range, bool held) =>
        Assert.Equal(held, Orders[scheme].Satisfies(version, range));

    [Fact]
    public void A_caret_range_with_prereleases_included_starts_at_its_release_below_one_too() =>
        Assert.False(NpmRange.Contains("0.4.2-rc.1", "^0.4.2", includePrerelease: true));

    private static IEnumerable<string[]> Rows(string file) =>
        File.ReadLines(TestFiles.Of("version-order", file + ".tsv")).Select(static line => line.Split('\t'));
}
