namespace Berth.Bench;

/// <summary>The sizes of the data sets and the patience of the generator. All sizes are in bytes unless the name says otherwise.</summary>
internal static class Limits
{
    internal const int AnswerMilliseconds = 120_000;
    internal const int StartMilliseconds = 30_000;
    internal const int StopMilliseconds = 20_000;
    internal const int HeadBytes = 16 * 1024;
    internal const int MaxBodyBytes = 64 * 1024 * 1024;
    internal const int SinkBytes = 1 << 20;

    internal const int Connections = 64;
    internal const int MediumConnections = 16;
    internal const int PushWorkers = 8;
    internal const int SeedConnections = 16;

    internal const int Manifests = 64;
    internal const int ManifestLayers = 8;
    internal const int SmallBlobBytes = 10 * 1024;
    internal const int MediumBlobBytes = 1 << 20;
    internal const int Tags = 10_000;
    internal const int Repositories = 10_000;
    internal const int Page = 100;
    internal const int WalkPage = 1_000;

    /// <summary>Images made ready for each second of a push round; a round that uses them all ends early.</summary>
    internal const int ImagesPerSecond = 3_000;
}
