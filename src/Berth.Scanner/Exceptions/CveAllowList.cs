using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>A list of flaws that somebody accepted, with an end for the whole list and for each row. Aliases count: a CVE on the list covers its GHSA.</summary>
/// <param name="source">What the list is called in reports, such as <c>allow list of the system</c>.</param>
/// <param name="items">The rows.</param>
/// <param name="expiresAt">When the whole list ends; null for never.</param>
public sealed class CveAllowList(string source, IReadOnlyList<AllowedFlaw> items, DateTimeOffset? expiresAt = null) : IExceptionSource
{
    private readonly Dictionary<string, AllowedFlaw> _items = items.GroupBy(static i => i.Id, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(static g => g.Key, static g => g.OrderByDescending(static i => i.ExpiresAt ?? DateTimeOffset.MaxValue).First(), StringComparer.OrdinalIgnoreCase);

    public Suppression? Find(Finding finding, ExceptionSubject subject)
    {
        if (expiresAt <= subject.Now)
            return null;
        foreach (var id in finding.AllIds)
        {
            if (_items.TryGetValue(id, out var item) && !(item.ExpiresAt <= subject.Now))
                return new Suppression(source, SuppressionStatus.Ignored, item.Reason, Earlier(item.ExpiresAt, expiresAt));
        }
        return null;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null ? b : b is null ? a : a < b ? a : b;
}

/// <summary>A row of an allow list.</summary>
/// <param name="Id">CVE or any other id of the flaw.</param>
/// <param name="Reason">Why; may be empty.</param>
/// <param name="ExpiresAt">When the row ends; null for with the list.</param>
public sealed record AllowedFlaw(string Id, string Reason = "", DateTimeOffset? ExpiresAt = null);
