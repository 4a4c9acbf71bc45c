using Microsoft.Extensions.Logging;

namespace Berth.Server.Identity.Ldap;

/// <summary>
/// People and groups in a directory (RFC 4511, Active Directory included). A sign-in is: 1. find the entry of the name with the search
/// account; 2. bind as that entry with the password; 3. read the groups, with the search account again.
/// </summary>
/// <remarks>At most <see cref="MaxConversations"/> conversations run at once; who waits longer than the timeout is told that the directory is unavailable.</remarks>
#pragma warning disable CA1001 // The semaphore holds nothing of the system, and a conversation may outlive the settings it began with.
public sealed class LdapDirectory
#pragma warning restore CA1001
{
    /// <summary>Most conversations at once.</summary>
    public const int MaxConversations = 16;

    /// <summary>Most users or groups that a search brings.</summary>
    public const int MaxFound = 1000;

    /// <summary>Longest time of a try (<see cref="PingAsync"/>).</summary>
    public static readonly TimeSpan MaxPing = TimeSpan.FromSeconds(30);

    private const int MaxGroupsOfUser = 2000;
    private const int ParallelConnections = 5;

    private readonly LdapOptions _options;
    private readonly IReadOnlyList<LdapAddress> _addresses;
    private readonly LdapFilter? _userFilter;
    private readonly LdapFilter? _groupFilter;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _turns = new(MaxConversations);

    /// <summary>Prepares a directory; nothing is connected.</summary>
    /// <exception cref="FormatException">A setting is malformed; <see cref="LdapRules"/> tells which before.</exception>
    public LdapDirectory(LdapOptions options, TimeProvider time, ILogger<LdapDirectory> log)
    {
        if (LdapRules.Check(options).FirstOrDefault() is { } problem) throw new FormatException($"{problem.Key}: {problem.Message}");
        (_options, _time, _log) = (options, time, log);
        _addresses = LdapAddress.ParseAll(options.Url);
        // The rules have read them already: what is not read here is empty.
        _userFilter = LdapFilter.TryParse(options.Filter, out var userFilter) ? userFilter : null;
        _groupFilter = LdapFilter.TryParse(options.GroupSearchFilter, out var groupFilter) ? groupFilter : null;
    }

    /// <summary>The settings.</summary>
    public LdapOptions Options => _options;

    /// <summary>Checks a name and a password and reads the groups.</summary>
    public async Task<LdapSignIn> SignInAsync(string name, string password, CancellationToken ct)
    {
        // RFC 4513 section 5.1.2: a bind without a password succeeds and proves nothing.
        if (string.IsNullOrWhiteSpace(name) || password.Length == 0) return LdapSignIn.Refused.Instance;
        try
        {
            return await ConverseAsync((connection, token) => SignInAsync(connection, name, password, token), ct).ConfigureAwait(false);
        }
        catch (LdapUnavailableException e)
        {
            _log.Unavailable(e.ForLog);
            return new LdapSignIn.Unavailable(e.Message);
        }
    }

    /// <summary>The user of a name with the groups, without a password; null when there is none.</summary>
    /// <exception cref="LdapUnavailableException">The directory cannot tell.</exception>
    internal async Task<LdapSignIn.Accepted?> LookUpAsync(string name, CancellationToken ct) => (await LookUpAsync([name], ct).ConfigureAwait(false))[0];

    /// <summary>The users of names with their groups, in the order of the names and over one connection; null for one whom there is not.</summary>
    /// <exception cref="LdapUnavailableException">The directory cannot tell.</exception>
    internal Task<IReadOnlyList<LdapSignIn.Accepted?>> LookUpAsync(IReadOnlyList<string> names, CancellationToken ct) =>
        ConverseAsync<IReadOnlyList<LdapSignIn.Accepted?>>(async (connection, token) =>
        {
            await BindAsSearcherAsync(connection, token).ConfigureAwait(false);
            var people = new List<LdapSignIn.Accepted?>(names.Count);
            foreach (var name in names)
            {
                var entry = await FindOneAsync(connection, name, token).ConfigureAwait(false);
                people.Add(entry is null ? null : await AcceptAsync(connection, entry, token).ConfigureAwait(false));
            }
            return people;
        }, ct);

    /// <summary>Tries the address and the search account; null when all is well, else what is wrong.</summary>
    /// <remarks>Ends within <see cref="MaxPing"/>, however many addresses there are. What it says is Berth's words, never the server's.</remarks>
    public async Task<string?> PingAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(MaxPing, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await ConverseAsync(async (connection, token) =>
            {
                await BindAsSearcherAsync(connection, token).ConfigureAwait(false);
                return true;
            }, both.Token).ConfigureAwait(false);
            return null;
        }
        catch (LdapUnavailableException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"no answer within {MaxPing.TotalSeconds:0} s";
        }
    }

    /// <summary>Users of a name, or all when it is empty; at most <see cref="MaxFound"/>.</summary>
    /// <exception cref="LdapUnavailableException">The directory cannot tell.</exception>
    internal Task<IReadOnlyList<LdapUser>> SearchUsersAsync(string name, CancellationToken ct) =>
        ConverseAsync<IReadOnlyList<LdapUser>>(async (connection, token) =>
        {
            await BindAsSearcherAsync(connection, token).ConfigureAwait(false);
            var entries = await connection.SearchAsync(UserSearch(name), MaxFound, token).ConfigureAwait(false);
            return [.. entries.Select(UserOf).OfType<LdapUser>()];
        }, ct);

    /// <summary>Groups of a name, or all when it is empty; at most <see cref="MaxFound"/>.</summary>
    /// <exception cref="LdapUnavailableException">The directory cannot tell.</exception>
    internal Task<IReadOnlyList<LdapGroup>> SearchGroupsAsync(string name, CancellationToken ct) =>
        ConverseAsync(async (connection, token) =>
        {
            await BindAsSearcherAsync(connection, token).ConfigureAwait(false);
            var byName = name.Length > 0 ? LdapFilter.Equal(_options.GroupAttributeName, name) : LdapFilter.Present(_options.GroupAttributeName);
            return await FindGroupsAsync(connection, GroupBaseDn, _options.GroupSearchScope, byName, MaxFound, token).ConfigureAwait(false);
        }, ct);

    /// <summary>The group of a distinguished name; null when there is none that matches the settings.</summary>
    /// <exception cref="LdapUnavailableException">The directory cannot tell.</exception>
    internal Task<LdapGroup?> FindGroupAsync(string dn, CancellationToken ct) =>
        ConverseAsync(async (connection, token) =>
        {
            await BindAsSearcherAsync(connection, token).ConfigureAwait(false);
            return await FindGroupAsync(connection, dn, token).ConfigureAwait(false);
        }, ct);

    private string GroupBaseDn => _options.GroupBaseDn.Length > 0 ? _options.GroupBaseDn : _options.BaseDn;

    private async Task<LdapSignIn> SignInAsync(LdapConnection connection, string name, string password, CancellationToken ct)
    {
        // 1.
        await BindAsSearcherAsync(connection, ct).ConfigureAwait(false);
        if (await FindOneAsync(connection, name, ct).ConfigureAwait(false) is not { } entry) return LdapSignIn.Refused.Instance;
        // 2.
        var result = await connection.BindAsync(entry.Dn, password, ct).ConfigureAwait(false);
        if (LdapResultCode.IsUsersFault(result.Code)) return LdapSignIn.Refused.Instance;
        if (result.Code != LdapResultCode.Success) throw new LdapUnavailableException($"the directory refused to check a password: {LdapResultCode.Describe(result)}") { Told = result.Message };
        // 3.
        await BindAsSearcherAsync(connection, ct).ConfigureAwait(false);
        return await AcceptAsync(connection, entry, ct).ConfigureAwait(false) is { } accepted ? accepted : LdapSignIn.Refused.Instance;
    }

    private async Task<LdapSignIn.Accepted?> AcceptAsync(LdapConnection connection, LdapEntry entry, CancellationToken ct)
    {
        if (UserOf(entry) is not { } user) return null;
        var groups = await GroupsOfAsync(connection, entry, user, ct).ConfigureAwait(false);
        bool? isAdmin = _options.GroupAdminDn.Length == 0
            ? null
            : entry.All(MembershipAttribute).Concat((groups ?? []).Select(g => g.Dn)).Any(dn => LdapDn.Same(dn, _options.GroupAdminDn));
        return new LdapSignIn.Accepted(user, groups, isAdmin);
    }

    private string MembershipAttribute => _options.GroupMembershipAttribute.Length > 0 ? _options.GroupMembershipAttribute : "memberOf";

    // Two entries of one name: nobody can say which of them is meant.
    private async Task<LdapEntry?> FindOneAsync(LdapConnection connection, string name, CancellationToken ct)
    {
        var entries = await connection.SearchAsync(UserSearch(name), 2, ct).ConfigureAwait(false);
        if (entries.Count > 1) _log.SeveralFound(name);
        return entries.Count == 1 ? entries[0] : null;
    }

    private LdapSearch UserSearch(string name)
    {
        var byName = name.Length > 0 ? LdapFilter.Equal(_options.Uid, name) : LdapFilter.Present(_options.Uid);
        var filter = _userFilter is null ? byName : LdapFilter.And(_userFilter, byName);
        return new LdapSearch(_options.BaseDn, _options.Scope, filter, [.. new[] { "uid", "cn", "mail", "email", _options.Uid, MembershipAttribute }.Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    private LdapUser? UserOf(LdapEntry entry) => entry.First(_options.Uid) is { } name
        ? new LdapUser(entry.Dn, name, entry.First("cn") ?? entry.First("uid"), entry.First("mail") ?? entry.First("email"))
        : null;

    private async Task<IReadOnlyList<LdapGroup>?> GroupsOfAsync(LdapConnection connection, LdapEntry entry, LdapUser user, CancellationToken ct)
    {
        if (_groupFilter is null) return null;
        if (_options.GroupMembershipAttribute.Length == 0)
        {
            var isMember = LdapFilter.Or(
                LdapFilter.Equal("member", entry.Dn), LdapFilter.Equal("uniqueMember", entry.Dn), LdapFilter.Equal("memberUid", entry.First("uid") ?? user.Name));
            return await FindGroupsAsync(connection, GroupBaseDn, _options.GroupSearchScope, isMember, MaxGroupsOfUser, ct).ConfigureAwait(false);
        }
        var names = entry.All(_options.GroupMembershipAttribute).Where(dn => LdapDn.IsBelow(dn, GroupBaseDn)).Take(MaxGroupsOfUser).ToArray();
        if (!_options.GroupAttachParallel || names.Length < ParallelConnections) return await NamedGroupsAsync(connection, names, ct).ConfigureAwait(false);
        var parts = names.Chunk((names.Length + ParallelConnections - 1) / ParallelConnections).Select((part, index) => index == 0
            ? NamedGroupsAsync(connection, part, ct)
            : OnNewConnectionAsync((other, token) => NamedGroupsAsync(other, part, token), ct));
        return [.. (await Task.WhenAll(parts).ConfigureAwait(false)).SelectMany(g => g)];
    }

    private async Task<IReadOnlyList<LdapGroup>> NamedGroupsAsync(LdapConnection connection, IReadOnlyList<string> names, CancellationToken ct)
    {
        var groups = new List<LdapGroup>(names.Count);
        foreach (var dn in names)
        {
            if (await FindGroupAsync(connection, dn, ct).ConfigureAwait(false) is { } group) groups.Add(group);
        }
        return groups;
    }

    private async Task<LdapGroup?> FindGroupAsync(LdapConnection connection, string dn, CancellationToken ct)
    {
        if (LdapDn.Normalize(dn) is not { Length: > 0 } || !LdapDn.IsBelow(dn, GroupBaseDn)) return null;
        var found = await FindGroupsAsync(connection, dn, LdapScope.Base, LdapFilter.Present(_options.GroupAttributeName), 1, ct).ConfigureAwait(false);
        return found.Count > 0 ? found[0] : null;
    }

    private async Task<IReadOnlyList<LdapGroup>> FindGroupsAsync(
        LdapConnection connection, string baseDn, LdapScope scope, LdapFilter filter, int most, CancellationToken ct)
    {
        var full = _groupFilter is null ? filter : LdapFilter.And(_groupFilter, filter);
        var entries = await connection.SearchAsync(new LdapSearch(baseDn, scope, full, [_options.GroupAttributeName]), most, ct).ConfigureAwait(false);
        return [.. entries.Select(e => new LdapGroup(e.Dn, e.First(_options.GroupAttributeName) ?? e.Dn))];
    }

    private async Task BindAsSearcherAsync(LdapConnection connection, CancellationToken ct)
    {
        if (_options.SearchDn.Length > 0 && string.IsNullOrEmpty(_options.SearchPassword))
            throw new LdapUnavailableException("the search account has no password: set identity.ldap.searchPassword");
        var result = await connection.BindAsync(_options.SearchDn, _options.SearchDn.Length > 0 ? _options.SearchPassword! : "", ct).ConfigureAwait(false);
        if (result.Code != LdapResultCode.Success)
            throw new LdapUnavailableException($"the directory refused the search account \"{_options.SearchDn}\": {LdapResultCode.Describe(result)}") { Told = result.Message };
    }

    private async Task<T> ConverseAsync<T>(Func<LdapConnection, CancellationToken, Task<T>> conversation, CancellationToken ct)
    {
        if (!await WaitForTurnAsync(ct).ConfigureAwait(false)) throw new LdapUnavailableException($"{MaxConversations} others are waiting for the directory already");
        try
        {
            var connection = await LdapConnection.OpenAsync(_options, _addresses, _time, ct).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false)) return await conversation(connection, ct).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<T> OnNewConnectionAsync<T>(Func<LdapConnection, CancellationToken, Task<T>> conversation, CancellationToken ct)
    {
        var connection = await LdapConnection.OpenAsync(_options, _addresses, _time, ct).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            await BindAsSearcherAsync(connection, ct).ConfigureAwait(false);
            return await conversation(connection, ct).ConfigureAwait(false);
        }
    }

    private async Task<bool> WaitForTurnAsync(CancellationToken ct)
    {
        if (await _turns.WaitAsync(TimeSpan.Zero, ct).ConfigureAwait(false)) return true;
        using var limit = new CancellationTokenSource(_options.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await _turns.WaitAsync(both.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}

internal static partial class LdapDirectoryLog
{
    [LoggerMessage(2101, LogLevel.Error, "directory unavailable, nobody can sign in with it: {Reason}")]
    public static partial void Unavailable(this ILogger logger, string reason);

    [LoggerMessage(2102, LogLevel.Warning, "sign-in refused: several entries of the directory have the name {User}; narrow identity.ldap.filter or baseDn")]
    public static partial void SeveralFound(this ILogger logger, string user);
}
