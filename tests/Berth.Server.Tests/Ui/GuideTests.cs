using System.Runtime.CompilerServices;

namespace Berth.Server.Tests.Ui;

/// <summary>The guide's pictures: each is shown and small, and what is shown is there.</summary>
public sealed class GuideTests
{
    private const long MaxPictureBytes = 100_000;

    [Fact]
    public void Pictures_of_the_guide_are_small_and_all_of_them_are_shown()
    {
        var docs = Folder();
        var text = string.Concat(Directory.EnumerateFiles(docs, "*.md").Select(File.ReadAllText));
        var pictures = Directory.GetFiles(Path.Combine(docs, "images"));
        Assert.NotEmpty(pictures);
        var wrong = pictures.Where(p => !text.Contains($"(images/{Path.GetFileName(p)})", StringComparison.Ordinal) || new FileInfo(p).Length > MaxPictureBytes).Select(p => Path.GetFileName(p)).ToList();
        Assert.Empty(wrong);
        var shown = text.Split("](images/").Skip(1).Select(t => t[..t.IndexOf(')', StringComparison.Ordinal)]);
        Assert.All(shown, name => Assert.True(File.Exists(Path.Combine(docs, "images", name)), name));
    }

    private static string Folder([CallerFilePath] string caller = "") => Path.Combine(Path.GetDirectoryName(caller)!, "..", "..", "..", "docs");
}
