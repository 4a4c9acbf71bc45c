using Berth.Server.Ui;

namespace Berth.Server.Artifacts;

/// <summary>Whether what a page deletes can be brought back, and how. Implemented by whoever keeps deleted things.</summary>
internal interface IDeletionUndo
{
    /// <summary>Days for which the project of a call keeps what is deleted now; 0 for not at all.</summary>
    Task<int> DaysAsync(UiCall call, CancellationToken ct);

    /// <summary>The form that takes back a deletion that has just been done; null when the reader may not, or nothing was kept.</summary>
    /// <param name="call">The request that deleted.</param>
    /// <param name="repository">Name within the project.</param>
    /// <param name="digests">What was deleted, or lost a tag; null for everything that went since the request began.</param>
    /// <param name="tag">The tag, where only that was deleted.</param>
    /// <param name="ct">Cancels.</param>
    Task<UiUndo?> OfferAsync(UiCall call, string repository, IReadOnlyCollection<string>? digests, string? tag, CancellationToken ct);
}
