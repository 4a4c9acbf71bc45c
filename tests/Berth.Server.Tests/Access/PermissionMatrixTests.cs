using System.Globalization;
using System.Runtime.CompilerServices;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Audit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server.Tests.Access;

/// <summary>
/// Walks every kind of caller through every registered operation and holds the answer against <c>role-matrix.tsv</c>. The handlers are replaced by one that
/// does nothing, so that whoever is let in changes nothing; operations that decide inside keep theirs, and are called by those who may do nothing.
/// </summary>
public sealed class PermissionMatrixTests
{
    private const int LetIn = 218;

    private static readonly string[] s_roles = ["projectAdmin", "maintainer", "developer", "guest", "limitedGuest"];

    [Fact]
    public void The_built_in_roles_are_Harbors_matrix()
    {
        var matrix = Matrix.Read();
        Assert.Equal(ProjectPermissions.All.Select(p => p.ToString()).Order(StringComparer.Ordinal), matrix.Permissions.Order(StringComparer.Ordinal));
        foreach (var permission in ProjectPermissions.All)
        {
            foreach (var role in BuiltInRoles.All) Assert.True(role.Rights.Has(permission) == matrix.May(role.Name, permission), $"{role.Name} {permission}");
            Assert.True(BuiltInRoles.PublicProject.Has(permission) == matrix.May("public", permission), $"public {permission}");
        }
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task Roles_may_do_what_the_matrix_says_and_nothing_else(DatabaseKind kind)
    {
        await using var site = await Site.StartAsync(kind);
        var matrix = Matrix.Read();
        var wrong = new List<string>();
        foreach (var operation in site.Operations.Where(o => o.Need.Kind != ApiNeedKind.Inside))
        {
            foreach (var project in (string[])["closed", "open"])
            {
                foreach (var caller in (string[])["admin", .. s_roles, "custom", "nonmember", ""])
                {
                    var may = MayAsUser(operation.Need, caller, project == "open", matrix);
                    await site.CheckAsync(operation, project, caller, may, wrong);
                }
                if (!operation.Route.Contains("{project_name", StringComparison.Ordinal)) break;
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_robot_with_one_permission_may_do_that_one_thing(DatabaseKind kind)
    {
        await using var site = await Site.StartAsync(kind);
        var operations = site.Operations.Where(o => o.Need.Kind is ApiNeedKind.Project or ApiNeedKind.System or ApiNeedKind.Admin).ToList();
        // One operation for each need is enough here: that operations with the same need are answered alike is what the roles show.
        var oneOfEach = operations.DistinctBy(o => o.Need.ToString()).ToList();
        var wrong = new List<string>();
        foreach (var robot in site.Robots)
        {
            foreach (var operation in oneOfEach)
            {
                var may = operation.Need.Permission is { } needed && needed == robot.Permission;
                await site.CheckAsync(operation, "closed", robot.Name, may, wrong);
                // A robot of a project is nobody in another.
                if (operation.Need.Kind == ApiNeedKind.Project) await site.CheckAsync(operation, "other", robot.Name, may && robot.IsOfAll, wrong);
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_limited_token_of_an_administrator_may_do_no_more_than_its_limit()
    {
        await using var site = await Site.StartAsync(DatabaseKind.Sqlite);
        var wrong = new List<string>();
        foreach (var operation in site.Operations.Where(o => o.Need.Kind != ApiNeedKind.Inside))
        {
            var may = operation.Need.Kind switch
            {
                ApiNeedKind.Anybody or ApiNeedKind.SignedIn => true,
                ApiNeedKind.Project => operation.Need.Permission is { } p && (p.Action is "read" or "list" or "pull"),
                _ => false,
            };
            // What exactly "read" covers is the scope's own business: here it counts that nothing is changed and nothing outside is reached.
            if (operation.Need.Kind == ApiNeedKind.Project && may) await site.CheckAsync(operation, "other", "token", false, wrong);
            else await site.CheckAsync(operation, "closed", "token", may, wrong);
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_project_that_is_missing_looks_like_one_that_is_closed()
    {
        await using var site = await Site.StartAsync(DatabaseKind.Sqlite);
        var wrong = new List<string>();
        foreach (var operation in site.Operations.Where(o => o.Need.Kind == ApiNeedKind.Project))
        {
            foreach (var caller in (string[])["nonmember", ""])
            {
                var (closed, missing) = (await site.CallAsync(operation, "closed", caller), await site.CallAsync(operation, "missing", caller));
                // Problem documents name the path that was asked for.
                if (closed.Status != missing.Status || closed.Body.Replace("/closed", "/missing", StringComparison.Ordinal) != missing.Body) wrong.Add($"{operation.Id} as {caller}: {closed.Status} and {missing.Status}");
            }
            if ((await site.CallAsync(operation, "missing", "admin")).Status != 404) wrong.Add($"{operation.Id} as admin");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Operations_that_decide_inside_let_nobody_in_who_may_do_nothing()
    {
        await using var site = await Site.StartAsync(DatabaseKind.Sqlite);
        var open = OpenInside.Read();
        var wrong = new List<string>();
        foreach (var operation in site.Operations.Where(o => o.Need.Kind == ApiNeedKind.Inside))
        {
            foreach (var (caller, name) in (IEnumerable<(string, string)>)[("", "anonymous"), ("nonmember", "nonmember")])
            {
                var answer = await site.CallAsync(operation, "closed", caller);
                if (answer.Status is >= 400 and < 500 || open.Contains((operation.Id, name))) continue;
                wrong.Add($"{operation.Id} as {name}: {answer.Status} (if that is right, it belongs into open-inside.tsv)");
            }
        }
        Assert.Empty(wrong);
    }

    private static bool MayAsUser(ApiNeed need, string caller, bool isOpen, Matrix matrix) => need.Kind switch
    {
        ApiNeedKind.Anybody => true,
        ApiNeedKind.SignedIn => caller.Length > 0,
        ApiNeedKind.Admin or ApiNeedKind.System => caller == "admin",
        _ => caller == "admin"
            || isOpen && matrix.May("public", need.Permission!)
            || s_roles.Contains(caller) && matrix.May(caller, need.Permission!)
            || caller == "custom" && need.Permission == ProjectPermissions.RobotList,
    };

    /// <summary>The rows of <c>role-matrix.tsv</c>.</summary>
    private sealed record Matrix(IReadOnlyList<string> Permissions, HashSet<(string Role, string Permission)> Allowed)
    {
        public bool May(string role, Permission permission) => Allowed.Contains((role, permission.ToString()));

        public static Matrix Read()
        {
            var lines = DataLines("role-matrix.tsv");
            var roles = lines[0][1..];
            var allowed = new HashSet<(string, string)>();
            foreach (var line in lines[1..])
            {
                Assert.Equal(roles.Length + 1, line.Length);
                for (var i = 0; i < roles.Length; i++)
                {
                    if (line[i + 1] == "x") allowed.Add((roles[i], line[0]));
                }
            }
            return new Matrix([.. lines[1..].Select(l => l[0])], allowed);
        }
    }

    /// <summary>The rows of <c>open-inside.tsv</c>.</summary>
    private static class OpenInside
    {
        public static HashSet<(string, string)> Read() => [.. DataLines("open-inside.tsv")[1..].Select(l => (l[0], l[1]))];
    }

    private static string[][] DataLines(string name, [CallerFilePath] string caller = "") =>
        [.. File.ReadLines(Path.Join(Path.GetDirectoryName(caller), name)).Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t'))];

    private sealed record TestRobot(string Name, long Id, Permission Permission, bool IsOfAll);

    /// <summary>A server whose callers say who they are, with a row for each.</summary>
    private sealed class Site : IAsyncDisposable
    {
        private readonly PlatformApp _app;

        private Site(PlatformApp app) => _app = app;

        public IReadOnlyList<ApiOperation> Operations { get; private set; } = [];

        public List<TestRobot> Robots { get; } = [];

        public static async Task<Site> StartAsync(DatabaseKind kind)
        {
            var callers = new Dictionary<string, Caller>();
            var site = new Site(await PlatformApp.StartAsync(kind, services: services => Replace(services, callers)));
            site.Operations = [.. site._app.Services.GetServices<ApiOperations>().SelectMany(o => o.All)];
            await site.FillAsync(callers);
            return site;
        }

        public async Task CheckAsync(ApiOperation operation, string project, string caller, bool may, List<string> wrong)
        {
            var answer = await CallAsync(operation, project, caller);
            var expected = may ? LetIn : caller.Length == 0 ? 401 : 403;
            if (answer.Status != expected) wrong.Add($"{operation.Method} {operation.Route} ({operation.Need}) in {project} as {(caller.Length == 0 ? "anonymous" : caller)}: {answer.Status}, not {expected}");
        }

        public Task<ApiAnswer> CallAsync(ApiOperation operation, string project, string caller)
        {
            var path = string.Join('/', operation.Route.Split('/').Select(s => s.Length == 0 || s[0] != '{' ? s
                : s.StartsWith("{project_name", StringComparison.Ordinal) ? project
                : s.Contains("digest", StringComparison.Ordinal) ? "sha256:" + new string('0', 64) : "1"));
            var isRead = HttpMethods.IsGet(operation.Method) || HttpMethods.IsHead(operation.Method);
            return _app.CallAsync(operation.Method, path, "", isRead ? null : "{}", caller.Length == 0 ? [] : [("Authorization", "Test " + caller)]);
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private static void Replace(IServiceCollection services, Dictionary<string, Caller> callers)
        {
            for (var i = 0; i < services.Count; i++)
            {
                if (services[i].ServiceType == typeof(ApiOperations) && services[i].ImplementationFactory is { } make)
                {
                    services[i] = ServiceDescriptor.Singleton(p => new ApiOperations([.. ((ApiOperations)make(p)).All.Select(o =>
                        o.Need.Kind == ApiNeedKind.Inside ? o : o with { Run = static (_, _) => Task.FromResult(ApiResult.Fail(new ApiError("LET_IN", LetIn), "")), IsOpenToOtherPages = true })]));
                }
                else if (services[i].ServiceType == typeof(ICallerSource) && services[i].ImplementationFactory is { } source)
                {
                    services[i] = ServiceDescriptor.Singleton<ICallerSource>(p => new SayingCallers((ICallerSource)source(p), callers));
                }
            }
        }

        private async Task FillAsync(Dictionary<string, Caller> callers)
        {
            var closed = await AuditApiTests.MakeProjectAsync(_app, "closed");
            var open = await AuditApiTests.MakeProjectAsync(_app, "open", isPublic: true);
            await AuditApiTests.MakeProjectAsync(_app, "other");
            callers["admin"] = new Caller("user:1", "admin", isAdmin: true, null) { SubjectId = 1 };
            Assert.True(TokenScopes.TryParse("closed:read", out var limit, out _));
            callers["token"] = new Caller("token:1", "admin", isAdmin: true, null) { SubjectId = 1, Scopes = limit };
            await RunAsync(InsertRole, 100L, "custom", "robot:list");
            var roles = BuiltInRoles.All.Select(r => (r.Name, r.Id)).Append(("custom", 100L)).Append(("nonmember", 0L));
            foreach (var (name, role) in roles)
            {
                var id = await _app.AddUserAsync(name.ToLowerInvariant());
                callers[name] = new Caller($"user:{id}", name, isAdmin: false, null) { SubjectId = id };
                if (role == 0) continue;
                await AuditApiTests.JoinAsync(_app, closed, id, role);
                await AuditApiTests.JoinAsync(_app, open, id, role);
            }
            foreach (var permission in SystemPermissions.All) await AddRobotAsync(callers, permission, null, isOfAll: false);
            foreach (var permission in ProjectPermissions.All)
            {
                await AddRobotAsync(callers, permission, closed, isOfAll: false);
                await AddRobotAsync(callers, permission, null, isOfAll: true);
            }
        }

        private async Task AddRobotAsync(Dictionary<string, Caller> callers, Permission permission, long? project, bool isOfAll)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"robot-{Robots.Count}-{permission.Scope}-{permission.Resource}-{permission.Action}");
            var id = 1000L + Robots.Count;
            await RunAsync(InsertPermission, id, (long)permission.Scope, project, permission.ToString());
            callers[name] = new Caller($"robot:{id}", name, isAdmin: false, null) { SubjectId = id, Kind = CallerKind.Robot };
            Robots.Add(new TestRobot(name, id, permission, isOfAll));
        }

        // Robots are told apart by their id alone here; what they may do is all that is looked up.
        private Task<int> RunAsync(Statement statement, params object?[] values) => _app.Database.WriteAsync(Durability.Relaxed, async (session, ct) =>
        {
            if (statement == InsertPermission) await session.ExecuteAsync(InsertRobot, [values[0], $"robot${values[0]}", values[2]], ct);
            await session.AnnounceAsync(Topics.Access, "", ct);
            return await session.ExecuteAsync(statement, values, ct);
        }, TestContext.Current.CancellationToken);

        private static readonly Statement InsertRole = new("INSERT INTO roles (id, name, description, permissions, created_at) VALUES (@0, @1, '', @2, 1)");

        private static readonly Statement InsertRobot = new("""
            INSERT INTO robots (id, name, project_id, description, secret_hash, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at)
            VALUES (@0, @1, @2, '', '', FALSE, -1, 'user', 1, 1, 1)
            """);

        private static readonly Statement InsertPermission = new("INSERT INTO robot_permissions (robot_id, scope, project_id, permissions) VALUES (@0, @1, @2, @3)");
    }

    /// <summary>Takes callers at their word (<c>Authorization: Test NAME</c>); everything else is the real source's.</summary>
    private sealed class SayingCallers(ICallerSource real, Dictionary<string, Caller> callers) : ICallerSource
    {
        public ValueTask<SignInResult> SignInAsync(HttpContext context, CancellationToken ct)
        {
            var header = context.Request.Headers.Authorization.ToString();
            return header.StartsWith("Test ", StringComparison.Ordinal) ? new(new SignInResult(callers[header[5..]])) : real.SignInAsync(context, ct);
        }

        public ValueTask<RepositoryRights> RightsAsync(Caller caller, string repository, CancellationToken ct) => real.RightsAsync(caller, repository, ct);

        public bool MayListCatalog(Caller caller) => real.MayListCatalog(caller);

        public ValueTask<bool> MayListAsync(Caller caller, string repository, CancellationToken ct) => real.MayListAsync(caller, repository, ct);

        public bool MayUseApi(Caller caller) => real.MayUseApi(caller);

        public string Challenge(HttpContext context, string scope, string? error) => real.Challenge(context, scope, error);
    }
}
