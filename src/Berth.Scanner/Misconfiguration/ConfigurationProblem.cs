using Berth.Scanner.Advisories;

namespace Berth.Scanner.Misconfiguration;

/// <summary>Something in the configuration of an image that should be otherwise.</summary>
/// <param name="Id">Id of the check, as in Trivy's checks of Dockerfiles.</param>
/// <param name="Title">What the check asks for.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Message">What was found; secrets are not in it.</param>
/// <param name="Resolution">What to do.</param>
public sealed record ConfigurationProblem(string Id, string Title, Severity Severity, string Message, string Resolution);
