using Microsoft.Extensions.Logging;

namespace Berth.Server.Identity.Ldap;

/// <summary>The directory of the settings that are in force; an administrator may change them while the server runs.</summary>
public sealed class LdapSource
{
    private readonly TimeProvider _time;
    private readonly ILogger<LdapDirectory> _log;
    private volatile LdapDirectory? _current;

    /// <summary>Takes the settings of the configuration.</summary>
    /// <exception cref="FormatException">A setting is malformed.</exception>
    public LdapSource(LdapOptions options, TimeProvider time, ILogger<LdapDirectory> log)
    {
        (_time, _log) = (time, log);
        Replace(options);
    }

    /// <summary>The directory; null when none is configured.</summary>
    public LdapDirectory? Current => _current;

    /// <summary>Takes other settings. Conversations under way end with the ones they began with.</summary>
    /// <exception cref="FormatException">A setting is malformed; nothing is changed.</exception>
    public void Replace(LdapOptions options) => _current = options.IsConfigured ? Open(options) : null;

    /// <summary>A directory of other settings, to try them.</summary>
    /// <exception cref="FormatException">A setting is malformed.</exception>
    public LdapDirectory Open(LdapOptions options) => new(options, _time, _log);
}
