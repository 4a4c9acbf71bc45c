using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>All exceptions that hold for an image, asked in the given order; the first that knows a finding decides.</summary>
public sealed class ExceptionSet(IReadOnlyList<IExceptionSource> sources)
{
    /// <summary>Parts findings into those that count and those that do not, both in the given order.</summary>
    public (IReadOnlyList<Finding> Counted, IReadOnlyList<SuppressedFinding> Suppressed) Apply(IReadOnlyList<Finding> findings, ExceptionSubject subject)
    {
        var counted = new List<Finding>(findings.Count);
        var suppressed = new List<SuppressedFinding>();
        foreach (var finding in findings)
        {
            if (sources.Select(s => s.Find(finding, subject)).FirstOrDefault(static s => s is not null) is { } suppression)
                suppressed.Add(new SuppressedFinding(finding, suppression));
            else
                counted.Add(finding);
        }
        return (counted, suppressed);
    }
}
