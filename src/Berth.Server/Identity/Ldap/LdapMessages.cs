using System.Formats.Asn1;
using System.Text;

namespace Berth.Server.Identity.Ldap;

/// <summary>Messages of LDAP in BER (RFC 4511 section 4, appendix B), as far as signing in and searching need them.</summary>
internal static class LdapMessages
{
    private const int Version = 3;
    private const string PagedResults = "1.2.840.113556.1.4.319";
    private const string StartTlsOid = "1.3.6.1.4.1.1466.20037";
    private static readonly Asn1Tag Controls = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>Numbers of operations: their tags of class APPLICATION.</summary>
    private enum Operation
    {
        BindRequest = 0,
        BindResponse = 1,
        UnbindRequest = 2,
        SearchRequest = 3,
        SearchEntry = 4,
        SearchDone = 5,
        SearchReference = 19,
        ExtendedRequest = 23,
        ExtendedResponse = 24,
    }

    /// <summary>A simple bind (section 4.2).</summary>
    public static byte[] Bind(int id, string dn, string password) => Message(id, writer =>
    {
        using (writer.PushSequence(Tag(Operation.BindRequest)))
        {
            writer.WriteInteger(Version);
            LdapFilter.WriteText(writer, dn);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(password), LdapFilter.Choice(0, isConstructed: false));
        }
    });

    /// <summary>The good-bye (section 4.3).</summary>
    public static byte[] Unbind(int id) => Message(id, static writer => writer.WriteNull(new Asn1Tag(TagClass.Application, (int)Operation.UnbindRequest)));

    /// <summary>The wish to begin TLS (section 4.14).</summary>
    public static byte[] StartTls(int id) => Message(id, static writer =>
    {
        using (writer.PushSequence(Tag(Operation.ExtendedRequest)))
            writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTlsOid), LdapFilter.Choice(0, isConstructed: false));
    });

    /// <summary>One page of a search (section 4.5; RFC 2696).</summary>
    public static byte[] Search(int id, LdapSearch search, int pageSize, byte[] cookie) => Message(
        id,
        writer =>
        {
            using (writer.PushSequence(Tag(Operation.SearchRequest)))
            {
                LdapFilter.WriteText(writer, search.BaseDn);
                writer.WriteEnumeratedValue(search.Scope);
                writer.WriteEnumeratedValue(LdapAliases.Never);
                writer.WriteInteger(0);
                writer.WriteInteger(0);
                writer.WriteBoolean(false);
                search.Filter.Write(writer);
                using (writer.PushSequence())
                {
                    foreach (var attribute in search.Attributes) LdapFilter.WriteText(writer, attribute);
                }
            }
        },
        search.Scope == LdapScope.Base ? null : writer => WritePage(writer, pageSize, cookie));

    /// <summary>Takes an answer apart; null for one that says nothing here: a reference to another server.</summary>
    /// <exception cref="AsnContentException">It is malformed.</exception>
    public static LdapAnswer? Read(ReadOnlyMemory<byte> message, out int id)
    {
        var reader = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
        if (!reader.TryReadInt32(out id)) throw new AsnContentException("the id of a message is too large");
        var tag = reader.PeekTag();
        if (tag.TagClass != TagClass.Application) throw new AsnContentException("a message holds no operation");
        var body = tag.TagValue is (int)Operation.SearchReference ? null : reader.ReadSequence(tag);
        switch ((Operation)tag.TagValue)
        {
            case Operation.SearchEntry:
                return new LdapAnswer(ReadEntry(body!), null, []);
            case Operation.BindResponse or Operation.SearchDone or Operation.ExtendedResponse:
                return new LdapAnswer(null, ReadResult(body!), CookieOf(reader));
            case Operation.SearchReference:
                return null;
            default:
                throw new AsnContentException($"a message holds an operation that was not asked for ({tag.TagValue})");
        }
    }

    private static byte[] Message(int id, Action<AsnWriter> operation, Action<AsnWriter>? control = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            operation(writer);
            if (control is not null)
            {
                using (writer.PushSequence(Controls)) control(writer);
            }
        }
        return writer.Encode();
    }

    private static void WritePage(AsnWriter writer, int size, byte[] cookie)
    {
        var value = new AsnWriter(AsnEncodingRules.BER);
        using (value.PushSequence())
        {
            value.WriteInteger(size);
            value.WriteOctetString(cookie);
        }
        using (writer.PushSequence())
        {
            writer.WriteOctetString(Encoding.ASCII.GetBytes(PagedResults));
            // Not critical: a server without pages answers with all it may give.
            writer.WriteBoolean(false);
            writer.WriteOctetString(value.Encode());
        }
    }

    private static LdapEntry ReadEntry(AsnReader body)
    {
        var dn = ReadText(body);
        var attributes = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
        var list = body.ReadSequence();
        while (list.HasData)
        {
            var attribute = list.ReadSequence();
            var name = ReadText(attribute);
            var values = attribute.ReadSetOf(skipSortOrderValidation: true);
            var texts = new List<string>();
            while (values.HasData) texts.Add(ReadText(values));
            if (texts.Count > 0) attributes[name] = texts;
        }
        return new LdapEntry(dn, attributes);
    }

    private static LdapResult ReadResult(AsnReader body)
    {
        var code = body.ReadEnumeratedBytes();
        if (code.Length != 1) throw new AsnContentException("a result code is too large");
        ReadText(body);
        return new LdapResult(code.Span[0], ReadText(body));
    }

    private static byte[] CookieOf(AsnReader message)
    {
        if (!message.HasData || message.PeekTag() != Controls) return [];
        var controls = message.ReadSequence(Controls);
        while (controls.HasData)
        {
            var control = controls.ReadSequence();
            if (ReadText(control) != PagedResults) continue;
            if (control.HasData && control.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)) control.ReadBoolean();
            if (!control.HasData) return [];
            var value = new AsnReader(control.ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
            value.ReadIntegerBytes();
            return value.ReadOctetString();
        }
        return [];
    }

    private static string ReadText(AsnReader reader) => Encoding.UTF8.GetString(reader.ReadOctetString());

    private static Asn1Tag Tag(Operation operation) => new(TagClass.Application, (int)operation, isConstructed: true);
}

/// <summary>What is searched, where, and which attributes are wanted.</summary>
internal sealed record LdapSearch(string BaseDn, LdapScope Scope, LdapFilter Filter, IReadOnlyList<string> Attributes);

/// <summary>An entry that was found; attribute names are compared without regard to case.</summary>
internal sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes)
{
    /// <summary>The first value of an attribute without surrounding blanks, or null.</summary>
    public string? First(string attribute) =>
        Attributes.TryGetValue(attribute, out var values) && values[0].Trim() is { Length: > 0 } value ? value : null;

    /// <summary>All values of an attribute.</summary>
    public IReadOnlyList<string> All(string attribute) => Attributes.TryGetValue(attribute, out var values) ? values : [];
}

/// <summary>How an operation ended.</summary>
/// <param name="Code">Result code (RFC 4511 appendix A).</param>
/// <param name="Message">What the server says about it; may be empty.</param>
internal readonly record struct LdapResult(int Code, string Message);

/// <summary>One answer: an entry, or the end with its result and the cookie of the next page.</summary>
internal sealed record LdapAnswer(LdapEntry? Entry, LdapResult? Result, byte[] Cookie);

/// <summary>Following aliases in a search (RFC 4511 section 4.5.1.3).</summary>
internal enum LdapAliases
{
    Never = 0,
}
