using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Rpm;

/// <summary>The list of packages that Bottlerocket carries in the place of a package database: JSON, versions as rpm has them.</summary>
internal static class BottlerocketInventory
{
    /// <summary>Where the list lies, by architecture.</summary>
    public static HashSet<string> Paths { get; } = new(
        from architecture in (string[])["aarch64", "x86_64"]
        select architecture + "-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json", StringComparer.Ordinal);

    /// <summary>Reads the list.</summary>
    public static void Read(FileContent content, FileReport report)
    {
        foreach (var one in JsonText.Map(content.Bytes().Span)["Content"].Items)
        {
            if (one.Of("Version").Length == 0) continue;
            report.Add(new Package(PackageType.Rpm, one.Of("Name"), one.Of("Version"))
            {
                Release = one.Of("Release"),
                Epoch = int.TryParse(one.Of("Epoch"), System.Globalization.NumberStyles.None, null, out var epoch) ? epoch : 0,
                Architecture = one.Of("Architecture"),
            });
        }
    }
}
