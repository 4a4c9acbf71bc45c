using Berth.Scanner.Exceptions;
using Berth.Scanner.Matching;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>Exceptions of one origin, with where they come from and until when they hold.</summary>
/// <param name="Origin">For people: <c>allow list of the project</c>, <c>document web.vex.json of the repository</c>.</param>
/// <param name="Inner">What they say.</param>
/// <param name="ExpiresAt">When all of them end; null for never.</param>
/// <param name="Note">The reason where the exception itself gives none.</param>
internal sealed record HeldSource(string Origin, IExceptionSource Inner, DateTimeOffset? ExpiresAt = null, string Note = "") : IExceptionSource
{
    /// <inheritdoc/>
    public Suppression? Find(Finding finding, ExceptionSubject subject)
    {
        if (ExpiresAt <= subject.Now || Inner.Find(finding, subject) is not { } found) return null;
        var end = found.ExpiresAt is null || ExpiresAt < found.ExpiresAt ? ExpiresAt ?? found.ExpiresAt : found.ExpiresAt;
        return found with { Source = Origin, Reason = found.Reason.Length > 0 ? found.Reason : Note, ExpiresAt = end };
    }
}

/// <summary>What holds for the images of a repository: its own documents, those of its project, those of all, and one allow list.</summary>
/// <param name="Version">State of everything that is remembered of exceptions, as of when it was read.</param>
/// <param name="Sources">In the order in which they are asked; those that ran out are among them.</param>
/// <param name="TrustsAttached">Whether documents that are attached to images count.</param>
internal sealed record ExceptionSources(long Version, IReadOnlyList<HeldSource> Sources, bool TrustsAttached);

/// <summary>What holds for one image.</summary>
/// <param name="Sources">What holds for its repository.</param>
/// <param name="Attached">The documents attached to it and to the indexes that list it; they count where they are trusted.</param>
/// <param name="Subject">The image as exceptions may name it, and the time.</param>
internal sealed record ManifestExceptions(ExceptionSources Sources, IReadOnlyList<HeldSource> Attached, ExceptionSubject Subject)
{
    /// <summary>The same, asked for the findings of a report: package URLs of system packages name the distribution.</summary>
    public ManifestExceptions For(IReadOnlyList<ReportedFinding> findings) => this with { Subject = Subject with { Distribution = ReportedFindings.DistributionOf(findings) } };

    /// <summary>Why a finding does not count now; null when it does.</summary>
    public Suppression? Find(Finding finding) => Find(finding, Subject, Sources.Sources) ?? (Sources.TrustsAttached ? Find(finding, Subject, Attached) : null);

    /// <summary>Whether nothing can keep a finding from counting, now or before.</summary>
    public bool IsEmpty => Sources.Sources.Count == 0 && (!Sources.TrustsAttached || Attached.Count == 0);

    /// <summary>Why a finding did not count until something ran out; null when nothing did.</summary>
    public Suppression? FindExpired(Finding finding) => Find(finding, Subject with { Now = DateTimeOffset.MinValue }, Sources.Sources) is { ExpiresAt: { } end } found && end <= Subject.Now ? found : null;

    /// <summary>What an attached document says of a finding, trusted or not; null when none does.</summary>
    public Suppression? FindAttached(Finding finding) => Find(finding, Subject, Attached);

    private static Suppression? Find(Finding finding, ExceptionSubject subject, IReadOnlyList<HeldSource> sources)
    {
        foreach (var source in sources)
            if (source.Find(finding, subject) is { } found) return found;
        return null;
    }
}
