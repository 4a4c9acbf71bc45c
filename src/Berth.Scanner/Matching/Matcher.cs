using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Constraints;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Osv;
using Berth.Scanner.Advisories.Trivy;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Matching;

/// <summary>
/// Judges packages by an advisory database: packages of a distribution by its own advisories, those of programming languages by those of their ecosystem.
/// Answers are without duplicates and always in the same order. May be used from many threads.
/// </summary>
public sealed class Matcher(AdvisoryDatabase database, MatchOptions? options = null)
{
    private readonly MatchOptions _options = options ?? new MatchOptions();

    /// <summary>All findings in the packages of an image, ordered by package and id.</summary>
    public IReadOnlyList<Finding> Match(ImageInventory image)
    {
        var subjects = MatchSubject.Of(image);
        if (subjects.Count == 1) return Match(subjects[0]);
        var all = subjects.SelectMany(subject => Match(subject)).ToList();
        all.Sort(FindingOrder.Instance);
        return all;
    }

    /// <summary>All findings in the packages of the subject, ordered by package and id.</summary>
    public IReadOnlyList<Finding> Match(MatchSubject subject)
    {
        // The same id from two feeds is one finding, except that OSV keeps its own ids apart.
        var findings = new Dictionary<(int, string, bool), Finding>();
        var rules = subject.Distribution is null ? null : ReleaseRules.Of(subject.Distribution, subject.RepositoryRelease);
        var products = rules?.Quirk == ReleaseQuirk.RedHatProducts ? RedHatJudge.Products(database, subject) : [];
        var lookUps = new Dictionary<(AdvisoryBucket, string), Advisory[]>();
        for (var i = 0; i < subject.Packages.Count; i++)
        {
            var package = subject.Packages[i];
            if (package.Version.Length == 0)
                continue;
            foreach (var (bucket, name) in Places(IsOfAnother(subject, package) ? null : rules, package))
            {
                if (!lookUps.TryGetValue((bucket, name), out var advisories))
                    lookUps[(bucket, name)] = advisories = [.. database.Advisories(bucket, name)];
                foreach (var verdict in Judge(rules, products, package, bucket, advisories))
                {
                    if (IsOverruled(package, bucket, name, verdict.Id))
                        continue;
                    var key = (i, verdict.Id, bucket.Feed == OsvImport.Feed);
                    if (!findings.TryGetValue(key, out var known) || IsBetter(verdict, known))
                        findings[key] = Describe(package, bucket, verdict);
                }
            }
        }
        var list = findings.Values.ToList();
        if (_options.JoinAliases)
            list = FindingJoin.Join(list);
        list.Sort(FindingOrder.Instance);
        return list;
    }

    /// <summary>
    /// What one advisory says about one package of the subject: the exact test behind a look-up by <see cref="MatchKey"/>. The bucket may come from an older database,
    /// for advisories that were removed.
    /// </summary>
    /// <param name="subject">Where the package is installed.</param>
    /// <param name="package">The package.</param>
    /// <param name="bucket">Bucket of the advisory.</param>
    /// <param name="name">Name of the package in the bucket.</param>
    /// <param name="advisory">The advisory.</param>
    public IReadOnlyList<Finding> Judge(MatchSubject subject, Package package, AdvisoryBucket bucket, string name, Advisory advisory)
    {
        var rules = subject.Distribution is null ? null : ReleaseRules.Of(subject.Distribution, subject.RepositoryRelease);
        if (package.Version.Length == 0 || IsOfAnother(subject, package) || NameIn(rules, package, bucket.Name) != name)
            return [];
        var products = rules?.Quirk == ReleaseQuirk.RedHatProducts ? RedHatJudge.Products(database, subject) : [];
        return [.. Judge(rules, products, package, bucket, [advisory]).Where(v => !IsOverruled(package, bucket, name, v.Id)).Select(v => Describe(package, bucket, v))];
    }

    /// <summary>Whether a bill of materials names the package as one of another distribution than the subject's.</summary>
    private static bool IsOfAnother(MatchSubject subject, Package package) => subject.Distribution is not null && !PackageUrls.MayBeOf(subject.Distribution, package.Namespace);

    /// <summary>In Trivy's database several sources of one ecosystem may know the same flaw by the same id: the last one by name decides, whatever the others say.</summary>
    private bool IsOverruled(Package package, AdvisoryBucket bucket, string name, string id) =>
        bucket.Feed == TrivyDatabaseImport.Feed && ConstraintImport.Prefix(package.Type) is { } prefix
        && database.BucketsWithPrefix(prefix + "::").Any(other => other.Feed == TrivyDatabaseImport.Feed && string.CompareOrdinal(other.Name, bucket.Name) > 0
            && database.Advisories(other, name).Any(advisory => advisory.Id == id));

    /// <summary>The name under which the bucket has the package; null when the bucket is about something else.</summary>
    private string? NameIn(ReleaseRules? rules, Package package, string bucket)
    {
        const string Osv = "osv::";
        var ecosystem = bucket.StartsWith(Osv, StringComparison.Ordinal) ? bucket[Osv.Length..] : null;
        if (package.Type is not (PackageType.Dpkg or PackageType.Apk or PackageType.Rpm))
        {
            if (ecosystem is not null)
                return ecosystem == OsvEcosystems.OfLanguage(package.Type) ? PackageNames.ForOsv(package.Type, package.Name) : null;
            return ConstraintImport.Prefix(package.Type) is { } prefix && bucket.StartsWith(prefix + "::", StringComparison.Ordinal)
                ? PackageNames.ForTrivy(package.Type, package.Name)
                : null;
        }
        if (rules is null || ReleaseJudge.IsForeign(rules, package))
            return null;
        if (ecosystem is null)
            return TrivyBuckets(rules).Contains(bucket) && ReleaseJudge.IsJudged(rules, package) ? ReleaseJudge.NameOf(rules, package) : null;
        return rules.OsvEcosystems.Any(e => e == ecosystem || (e.EndsWith('*') && ecosystem.StartsWith(e[..^1], StringComparison.Ordinal))) ? OsvName(rules, package) : null;
    }

    /// <summary>Buckets that may know the package, with its name there.</summary>
    private IEnumerable<(AdvisoryBucket Bucket, string Name)> Places(ReleaseRules? rules, Package package)
    {
        if (package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm)
            return rules is not null && !ReleaseJudge.IsForeign(rules, package) ? OfDistribution(rules, package) : [];
        return OfLanguage(package);
    }

    private IEnumerable<(AdvisoryBucket, string)> OfDistribution(ReleaseRules rules, Package package)
    {
        foreach (var name in ReleaseJudge.IsJudged(rules, package) ? TrivyBuckets(rules) : [])
        {
            foreach (var bucket in database.Buckets(name))
                yield return (bucket, ReleaseJudge.NameOf(rules, package));
        }
        foreach (var ecosystem in rules.OsvEcosystems)
        {
            var name = OsvImport.BucketOf(ecosystem);
            foreach (var bucket in name.EndsWith('*') ? database.BucketsWithPrefix(name[..^1]) : database.Buckets(name))
                yield return (bucket, OsvName(rules, package));
        }
    }

    private string[] TrivyBuckets(ReleaseRules rules) =>
        rules is { PrefersFirstBucket: true, TrivyBuckets.Length: > 1 } && Array.Find(rules.TrivyBuckets, name => database.Buckets(name).Any()) is { } first ? [first] : rules.TrivyBuckets;

    private IEnumerable<(AdvisoryBucket, string)> OfLanguage(Package package)
    {
        if (ConstraintImport.Prefix(package.Type) is { } prefix)
        {
            var name = PackageNames.ForTrivy(package.Type, package.Name);
            foreach (var bucket in database.BucketsWithPrefix(prefix + "::"))
                yield return (bucket, name);
        }
        if (OsvEcosystems.OfLanguage(package.Type) is { } ecosystem)
        {
            var name = PackageNames.ForOsv(package.Type, package.Name);
            foreach (var bucket in database.Buckets(OsvImport.BucketOf(ecosystem)))
                yield return (bucket, name);
        }
    }

    /// <summary>OSV names source packages where the distribution's own advisories do, else binary ones, without their module.</summary>
    private static string OsvName(ReleaseRules rules, Package package) => rules.Key == NameKey.Source ? ReleaseJudge.NameOf(rules, package) : package.Name;

    private static IEnumerable<Verdict> Judge(
        ReleaseRules? rules, HashSet<int> products, Package package, AdvisoryBucket bucket, IReadOnlyList<Advisory> advisories)
    {
        var isOfDistribution = package.Type is PackageType.Dpkg or PackageType.Apk or PackageType.Rpm;
        if (rules?.Quirk == ReleaseQuirk.RedHatProducts && isOfDistribution && bucket.Name == "Red Hat")
        {
            foreach (var verdict in RedHatJudge.Judge(package, advisories, products))
                yield return verdict;
            yield break;
        }
        foreach (var advisory in advisories)
        {
            if (advisory.IsOsv)
            {
                if (OfOsv(isOfDistribution ? rules : null, package, advisory) is { } verdict)
                    yield return verdict;
            }
            else if (isOfDistribution)
            {
                foreach (var verdict in ReleaseJudge.Judge(rules!, package, advisory))
                    yield return verdict;
            }
            else if (ConstraintRules.Holds(advisory, bucket.Feed, package.Type, package.Version))
            {
                yield return new Verdict(advisory.Id) { FixedVersions = ConstraintRules.FixedVersions(advisory), VendorIds = advisory.VendorIds, Status = advisory.Status };
            }
        }
    }

    private static Verdict? OfOsv(ReleaseRules? rules, Package package, Advisory advisory)
    {
        var installed = rules?.Key == NameKey.Source ? PackageVersions.Source(package) : PackageVersions.Full(package);
        if (rules is { HasNoEpochs: true })
            installed = installed[(installed.IndexOf(':') + 1)..];
        if (package.Type == PackageType.Go)
            installed = installed.TrimStart('v');
        if (!OsvRanges.Holds(advisory, package.Type, installed, out var fixes))
            return null;
        return new Verdict(advisory.Id)
        {
            FixedVersions = fixes,
            Severity = advisory.Severity,
            SeveritySource = advisory.Severity == Severity.Unknown ? "" : OsvEcosystems.SourceOf(advisory.Id).Id,
        };
    }

    private Finding Describe(Package package, AdvisoryBucket bucket, Verdict verdict)
    {
        var detail = database.Detail(verdict.Id, bucket.Feed);
        var source = bucket.Feed == OsvImport.Feed ? Source(bucket, verdict.Id) : bucket;
        var (severity, severitySource) = detail is null
            ? (Severity.Unknown, "")
            : SeverityChoice.Of(verdict.Id, detail, source.BaseId.Length > 0 ? source.BaseId : source.SourceId, _options.SeveritySources);
        if (verdict.SeveritySource.Length > 0)
            (severity, severitySource) = (verdict.Severity, verdict.SeveritySource);
        if (severity == Severity.Unknown && detail is not null)
            (severity, severitySource) = OfAliases(detail, severitySource);
        var finding = new Finding(verdict.Id, package)
        {
            Aliases = detail?.Aliases ?? [],
            VendorIds = verdict.VendorIds,
            InstalledVersion = PackageVersions.Full(package),
            FixedVersions = verdict.FixedVersions,
            Status = verdict.FixedVersions.Count > 0 ? FixStatus.Fixed : verdict.Status == FixStatus.Unknown ? FixStatus.Affected : verdict.Status,
            Severity = severity,
            SeveritySource = severitySource,
            Source = source,
            Detail = detail,
            PrimaryUrl = PrimaryLinks.Of(verdict.Id, detail?.References ?? [], source.SourceId),
        };
        return finding with { Prediction = Prediction(finding), Exploitation = Exploitation(finding) };
    }

    /// <summary>An erratum without a severity has the highest of the flaws that it repairs, where others know them.</summary>
    private (Severity Severity, string Source) OfAliases(VulnerabilityDetail detail, string source)
    {
        var best = (Severity: Severity.Unknown, Source: source);
        foreach (var alias in detail.Aliases.Where(static a => a.StartsWith("CVE-", StringComparison.Ordinal)).Take(64))
        {
            if (database.Detail(alias) is not { } other)
                continue;
            var choice = SeverityChoice.Of(alias, other, "nvd", _options.SeveritySources);
            if (choice.Severity > best.Severity)
                best = choice;
        }
        return best;
    }

    private static AdvisoryBucket Source(AdvisoryBucket bucket, string id)
    {
        var (sourceId, name) = OsvEcosystems.SourceOf(id);
        return bucket with { SourceId = sourceId, SourceName = name };
    }

    private ExploitPrediction? Prediction(Finding finding) =>
        finding.AllIds.Select(database.Prediction).Where(static p => p is not null).OrderByDescending(static p => p!.Value.Probability).FirstOrDefault();

    private KnownExploitation? Exploitation(Finding finding) => finding.AllIds.Select(database.Exploitation).FirstOrDefault(static e => e is not null);

    /// <summary>Two sources with the same id for one package: the one that knows a fix, else the first.</summary>
    private static bool IsBetter(Verdict verdict, Finding known) => known.FixedVersions.Count == 0 && verdict.FixedVersions.Count > 0;
}
