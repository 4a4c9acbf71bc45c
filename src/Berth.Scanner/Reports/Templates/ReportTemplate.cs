using System.Text;
using System.Text.Json;

namespace Berth.Scanner.Reports.Templates;

/// <summary>
/// A report in a form of the user's own: the language of Go's text/template, as far as templates for reports use it (actions, if, with, range, variables, pipelines, templates within templates, the functions in
/// <see cref="TemplateFunctions"/>), over the results of Trivy's report. What a template may cost is bounded; it reaches neither files nor the network.
/// </summary>
public sealed class ReportTemplate
{
    private const int MaxTextLength = 1024 * 1024;

    private readonly TemplateDocument document;

    private ReportTemplate(TemplateDocument document) => this.document = document;

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">It is broken, or uses what is not known here.</exception>
    public static ReportTemplate Parse(string text) => text.Length <= MaxTextLength
        ? new ReportTemplate(TemplateParser.Parse(text))
        : throw new TemplateException($"the template has more than {MaxTextLength} characters");

    /// <summary>Writes a report.</summary>
    /// <param name="output">Where to, in UTF-8.</param>
    /// <param name="report">The report.</param>
    /// <param name="variables">What <c>env</c> gives.</param>
    /// <exception cref="TemplateException">The template asks for what cannot be done.</exception>
    public void Write(Stream output, ScanReport report, IReadOnlyDictionary<string, string> variables)
    {
        using var json = new MemoryStream();
        TrivyReport.Write(json, report, listPackages: true);
        using var parsed = JsonDocument.Parse(json.GetBuffer().AsMemory(0, (int)json.Length));
        var text = new TemplateRun(new TemplateFunctions(report.CreatedAt, report.ToolVersion, variables)).Carry(document, TemplateValues.Of(parsed.RootElement.GetProperty("Results")));
        output.Write(Encoding.UTF8.GetBytes(text));
    }
}
