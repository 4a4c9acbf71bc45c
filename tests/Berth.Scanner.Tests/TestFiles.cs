using System.Runtime.CompilerServices;

namespace Berth.Scanner.Tests;

/// <summary>Files of the folder Data, found by the place of this source.</summary>
internal static class TestFiles
{
    public static string Root { get; } = Path.Combine(Path.GetDirectoryName(Here())!, "Data");

    public static string Of(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Here([CallerFilePath] string path = "") => path;
}
