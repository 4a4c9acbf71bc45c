using System.Text.Json;
using Berth.Scanner.Advisories.Cvss;

namespace Berth.Scanner.Advisories.Osv;

/// <summary>The list <c>severity</c> of an advisory of OSV, or of one of its packages: vectors whose scores have to be computed.</summary>
internal static class OsvSeverity
{
    /// <summary>Null when there is none that can be read.</summary>
    public static CvssScores? Cvss(JsonElement json)
    {
        var scores = new CvssScores();
        foreach (var item in json.Items("severity"))
        {
            var vector = item.Text("score");
            switch (item.Text("type"))
            {
                case "CVSS_V2" when scores.V2Vector.Length == 0:
                    scores = scores with { V2Vector = vector, V2Score = CvssV2.BaseScore(vector) ?? 0 };
                    break;
                case "CVSS_V3" when scores.V3Vector.Length == 0:
                    scores = scores with { V3Vector = vector, V3Score = CvssV3.BaseScore(vector) ?? 0 };
                    break;
                case "CVSS_V4" when scores.V4Vector.Length == 0:
                    scores = scores with { V4Vector = vector };
                    break;
            }
        }
        return scores == new CvssScores() ? null : scores;
    }
}
