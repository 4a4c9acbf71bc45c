using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Tests.Matching;

public sealed class MatchingCaseTests(MatchingDatabases databases) : IClassFixture<MatchingDatabases>
{
    public static TheoryData<string> Cases => [.. MatchingCase.Ids()];

    public static TheoryData<string> CasesWithFiles => [.. MatchingCase.Ids().Where(static id => MatchingCase.Load(id).HasFiles)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_packages_of_a_case_give_exactly_its_findings(string id)
    {
        var given = MatchingCase.Load(id);
        Compare(given, given.Subject());
    }

    [Theory]
    [MemberData(nameof(CasesWithFiles))]
    public async Task The_files_of_a_case_give_exactly_its_findings(string id)
    {
        var given = MatchingCase.Load(id);
        Compare(given, await given.ScanAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_finding_is_found_again_from_its_advisory_through_the_index(string id)
    {
        var given = MatchingCase.Load(id);
        var subject = given.Subject();
        var database = DatabaseOf(given);
        var matcher = new Matcher(database);
        var index = subject.Packages.SelectMany(p => MatchKey.Of(subject, p).Select(k => (Key: k, Package: p))).ToLookup(static x => x.Key, static x => x.Package);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var bucket in database.Metadata.Buckets)
        {
            foreach (var (package, advisory) in database.Advisories(bucket))
            {
                foreach (var candidate in index[MatchKey.Of(bucket, package)])
                    found.UnionWith(matcher.Judge(subject, candidate, bucket, package, advisory).Select(given.Line));
            }
        }
        Assert.Equal(new SortedSet<string>(matcher.Match(subject).Select(given.Line), StringComparer.Ordinal), found);
    }

    private void Compare(MatchingCase given, MatchSubject subject)
    {
        var findings = new Matcher(DatabaseOf(given)).Match(subject);
        var actual = new SortedSet<string>(findings.Select(given.Line), StringComparer.Ordinal);
        var expected = given.Expected();
        string missed = string.Join("\n  ", expected.Except(actual).Take(20)), invented = string.Join("\n  ", actual.Except(expected).Take(20));
        Assert.True(missed.Length == 0 && invented.Length == 0, $"{given.Id}\nmissed:\n  {missed}\ninvented:\n  {invented}");
    }

    private AdvisoryDatabase DatabaseOf(MatchingCase given) =>
        given.IsGolden ? databases.Trivy : given.IsNative ? databases.Native : databases.Osv;
}
