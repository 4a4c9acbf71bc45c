using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>Anything that can say that a finding does not count.</summary>
public interface IExceptionSource
{
    /// <summary>The reason that holds now; null when the finding counts.</summary>
    Suppression? Find(Finding finding, ExceptionSubject subject);
}
