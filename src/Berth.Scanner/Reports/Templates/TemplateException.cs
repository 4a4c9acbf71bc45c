namespace Berth.Scanner.Reports.Templates;

/// <summary>A template cannot be read or carried out; the message names the line.</summary>
public sealed class TemplateException(string message) : Exception(message);
