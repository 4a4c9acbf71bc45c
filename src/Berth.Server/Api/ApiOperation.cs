using Berth.Server.Access;

namespace Berth.Server.Api;

/// <summary>Answers one call of an operation.</summary>
public delegate Task<ApiResult> ApiHandler(ApiCall call, CancellationToken ct);

/// <summary>Which interface an operation belongs to.</summary>
public enum ApiSurface
{
    /// <summary>Harbor's API, <c>/api/v2.0</c>, with its envelope of errors.</summary>
    Harbor,

    /// <summary>What Harbor has no word for, <c>/api/berth/v1</c>, with problem documents (RFC 9457).</summary>
    Berth,

    /// <summary>The path as it stands, with Harbor's envelope: <c>/c/login</c> and its like.</summary>
    Root,
}

/// <summary>
/// One operation of the management API: where it is, who may call it, what answers. The features list theirs; routes, permissions, the API description and its
/// tests are made from the lists.
/// </summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Below the base, with route parameters in braces: <c>/projects/{project_name_or_id}</c>.</param>
/// <param name="Id">Operation id, Harbor's where it has one.</param>
/// <param name="Tag">Group in the description.</param>
/// <param name="Need">What a caller needs; checked before the handler runs.</param>
/// <param name="Run">The handler.</param>
public sealed record ApiOperation(string Method, string Path, string Id, string Tag, ApiNeed Need, ApiHandler Run)
{
    /// <summary>Which interface it is of.</summary>
    public ApiSurface Surface { get; init; }

    /// <summary>Whether a change may be asked for without proof that our own page asks (CSRF): the handler looks after that itself, or nothing depends on it.</summary>
    public bool IsOpenToOtherPages { get; init; }

    /// <summary>Whether it changes nothing, though its method says so: a question that is too long for an address. Our own pages ask it also while they are read.</summary>
    public bool ChangesNothing { get; init; }

    /// <summary>A line for the API description.</summary>
    public string Summary { get; init; } = "";

    /// <summary>Type of the JSON body; null without one.</summary>
    public Type? Body { get; init; }

    /// <summary>Type of the JSON answer; null without one.</summary>
    public Type? Answer { get; init; }

    /// <summary>Whether the answer is a list of <see cref="Answer"/>.</summary>
    public bool IsList { get; init; }

    /// <summary>Query parameters beside those of lists (<c>q</c>, <c>sort</c>, <c>page</c>, <c>page_size</c>).</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>Whether it is open to somebody who must choose a new password first.</summary>
    public bool IsOpenBeforePasswordChange { get; init; }

    /// <summary>Whether it runs while the installation is read-only, though it changes something: signing in, and ending the read-only mode.</summary>
    public bool RunsInReadOnlyMode
    {
        get => field || ChangesNothing || Surface == ApiSurface.Root;
        init;
    }

    /// <summary>Whether it is open to everybody while the installation is under maintenance: signing in, and what tells how it is.</summary>
    public bool RunsInMaintenance
    {
        get => field || Surface == ApiSurface.Root;
        init;
    }

    /// <summary>The whole path of the route.</summary>
    public string Route => Surface switch
    {
        ApiSurface.Harbor => "/api/v2.0" + Path,
        ApiSurface.Berth => "/api/berth/v1" + Path,
        _ => Path,
    };
}

/// <summary>What a caller needs for an operation.</summary>
/// <param name="Kind">Which kind of need.</param>
/// <param name="Permission">The permission, for kinds that have one.</param>
public sealed record ApiNeed(ApiNeedKind Kind, Permission? Permission = null)
{
    /// <summary>Nothing: anybody may call it.</summary>
    public static readonly ApiNeed Anybody = new(ApiNeedKind.Anybody);

    /// <summary>Some account.</summary>
    public static readonly ApiNeed SignedIn = new(ApiNeedKind.SignedIn);

    /// <summary>An administrator.</summary>
    public static readonly ApiNeed Admin = new(ApiNeedKind.Admin);

    /// <summary>The handler decides, because it depends on what the request names.</summary>
    public static readonly ApiNeed Inside = new(ApiNeedKind.Inside);

    /// <summary>A permission in the project of the path.</summary>
    public static ApiNeed Project(Permission permission) => new(ApiNeedKind.Project, permission);

    /// <summary>A permission for the installation: administrators, and robots that were given it.</summary>
    public static ApiNeed System(Permission permission) => new(ApiNeedKind.System, permission);

    public override string ToString() => Permission is null ? Kind.ToString() : $"{Kind} {Permission}";
}

/// <summary>Kinds of needs.</summary>
public enum ApiNeedKind
{
    Anybody,
    SignedIn,
    Admin,
    Inside,
    Project,
    System,
}
