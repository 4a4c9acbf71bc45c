using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Words of findings in lists: severities and where a scan stands.</summary>
internal sealed class ScanWords(Language language) : Wording(language)
{
    public string Vulnerabilities => Of("Vulnerabilities", "漏洞");
    public string Findings => Of("Findings", "漏洞");
    public string Packages => Of("Packages", "软件包");
    public string Artifact => Of("Artifact", "制品");
    public string NotScanned => Of("not scanned", "未扫描");
    public string NothingFound => Of("none", "无");
    public string Failed => Of("scan failed", "扫描失败");
    public string Waits => Of("waits", "等待扫描");
    public string Runs => Of("is being scanned", "正在扫描");
    public string Severity => Of("Severity", "严重程度");

    /// <summary>A severity.</summary>
    public string SeverityOf(string severity) => severity switch
    {
        "Critical" => Of("Critical", "危急"),
        "High" => Of("High", "高危"),
        "Medium" => Of("Medium", "中危"),
        "Low" => Of("Low", "低危"),
        _ => Of("Unknown", "未知"),
    };

    /// <summary>A severity where there is room for one letter.</summary>
    public string LetterOf(string severity) => SeverityOf(severity)[..1];

    /// <summary>How many of a severity.</summary>
    public string CountOf(string severity, long count) => Of($"{count:N0} {SeverityOf(severity).ToLowerInvariant()}", $"{SeverityOf(severity)} {count:N0}");

    /// <summary>The class of style sheet's colours.</summary>
    public static string ClassOf(string severity) => severity is "Critical" or "High" or "Medium" or "Low" ? severity.ToLowerInvariant() : "unknown";
}
