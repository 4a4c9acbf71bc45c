namespace Berth.Server.Doctor;

/// <summary>Groups of the operator's checklist.</summary>
public enum DoctorArea
{
    Deployment,
    Access,
    Management,
    Security,
    Distribution,
    Monitoring,

    /// <summary>What people come with: a pull that is refused, a full disk, a scan that fails.</summary>
    Troubleshooting,
}

/// <summary>What came of a check.</summary>
public enum DoctorStatus
{
    /// <summary>As it should be.</summary>
    Pass,

    /// <summary>Somebody should mend it.</summary>
    Fail,

    /// <summary>Nothing is set up for it; that may be right.</summary>
    NotConfigured,
}

/// <summary>What a check has found.</summary>
/// <param name="Status">What came of it.</param>
/// <param name="Text">What there is, in a sentence.</param>
public readonly record struct Finding(DoctorStatus Status, string Text)
{
    public static Finding Pass(string text) => new(DoctorStatus.Pass, text);

    public static Finding Fail(string text) => new(DoctorStatus.Fail, text);

    public static Finding NotConfigured(string text) => new(DoctorStatus.NotConfigured, text);
}

/// <summary>One line of the checklist.</summary>
/// <param name="Id">Its name, for scripts.</param>
/// <param name="Area">Its group.</param>
/// <param name="Question">What is asked.</param>
/// <param name="DecidedBy">What the answer depends on.</param>
/// <param name="Fix">What to do when the answer is no.</param>
/// <param name="Decide">Answers from inside the server; null where only a client can see it (<see cref="DoctorVisit"/>).</param>
internal sealed record DoctorCheck(string Id, DoctorArea Area, string Question, string DecidedBy, string Fix, Func<DoctorFacts, Finding>? Decide);
