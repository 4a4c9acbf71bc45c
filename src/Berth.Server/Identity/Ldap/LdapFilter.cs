using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Text;

namespace Berth.Server.Identity.Ldap;

/// <summary>
/// A search filter (RFC 4511 section 4.5.1.7). A name that somebody typed goes into <see cref="Equal"/> as a value, never into a text
/// that is parsed, so it cannot change what the filter means.
/// </summary>
internal abstract record LdapFilter
{
    /// <summary>Writes the filter in BER.</summary>
    public abstract void Write(AsnWriter writer);

    /// <summary>Matches entries that have the attribute.</summary>
    public static LdapFilter Present(string attribute) => new PresentFilter(attribute);

    /// <summary>Matches entries whose attribute has a value.</summary>
    public static LdapFilter Equal(string attribute, string value) => new ValueFilter(3, attribute, Encoding.UTF8.GetBytes(value));

    /// <summary>Matches what all match; one alone stays itself.</summary>
    public static LdapFilter And(params IReadOnlyList<LdapFilter> parts) => parts.Count == 1 ? parts[0] : new SetFilter(0, parts);

    /// <summary>Matches what one matches.</summary>
    public static LdapFilter Or(params IReadOnlyList<LdapFilter> parts) => parts.Count == 1 ? parts[0] : new SetFilter(1, parts);

    /// <summary>Reads a filter in its text form (RFC 4515); the outer brackets may be missing, as Harbor allows.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out LdapFilter? filter) => LdapFilterReader.TryRead(text, out filter);

    internal static Asn1Tag Choice(int number, bool isConstructed) => new(TagClass.ContextSpecific, number, isConstructed);

    internal static void WriteText(AsnWriter writer, string text) => writer.WriteOctetString(Encoding.UTF8.GetBytes(text));
}

/// <summary><c>and</c> [0] and <c>or</c> [1].</summary>
internal sealed record SetFilter(int Number, IReadOnlyList<LdapFilter> Parts) : LdapFilter
{
    public override void Write(AsnWriter writer)
    {
        // A set that BER need not sort: PushSetOf would.
        using (writer.PushSequence(Choice(Number, isConstructed: true)))
        {
            foreach (var part in Parts) part.Write(writer);
        }
    }
}

/// <summary><c>not</c> [2].</summary>
internal sealed record NotFilter(LdapFilter Part) : LdapFilter
{
    public override void Write(AsnWriter writer)
    {
        using (writer.PushSequence(Choice(2, isConstructed: true))) Part.Write(writer);
    }
}

/// <summary><c>equalityMatch</c> [3], <c>greaterOrEqual</c> [5], <c>lessOrEqual</c> [6], <c>approxMatch</c> [8].</summary>
internal sealed record ValueFilter(int Number, string Attribute, byte[] Value) : LdapFilter
{
    public override void Write(AsnWriter writer)
    {
        using (writer.PushSequence(Choice(Number, isConstructed: true)))
        {
            WriteText(writer, Attribute);
            writer.WriteOctetString(Value);
        }
    }
}

/// <summary><c>substrings</c> [4].</summary>
internal sealed record SubstringFilter(string Attribute, byte[]? Initial, IReadOnlyList<byte[]> Any, byte[]? Final) : LdapFilter
{
    public override void Write(AsnWriter writer)
    {
        using (writer.PushSequence(Choice(4, isConstructed: true)))
        {
            WriteText(writer, Attribute);
            using (writer.PushSequence())
            {
                if (Initial is not null) writer.WriteOctetString(Initial, Choice(0, isConstructed: false));
                foreach (var part in Any) writer.WriteOctetString(part, Choice(1, isConstructed: false));
                if (Final is not null) writer.WriteOctetString(Final, Choice(2, isConstructed: false));
            }
        }
    }
}

/// <summary><c>present</c> [7].</summary>
internal sealed record PresentFilter(string Attribute) : LdapFilter
{
    public override void Write(AsnWriter writer) => writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute), Choice(7, isConstructed: false));
}

/// <summary><c>extensibleMatch</c> [9]: <c>memberOf:1.2.840.113556.1.4.1941:=…</c> finds nested groups in Active Directory.</summary>
internal sealed record ExtensibleFilter(string? Rule, string? Attribute, byte[] Value, bool WithDnAttributes) : LdapFilter
{
    public override void Write(AsnWriter writer)
    {
        using (writer.PushSequence(Choice(9, isConstructed: true)))
        {
            if (Rule is not null) writer.WriteOctetString(Encoding.UTF8.GetBytes(Rule), Choice(1, isConstructed: false));
            if (Attribute is not null) writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute), Choice(2, isConstructed: false));
            writer.WriteOctetString(Value, Choice(3, isConstructed: false));
            if (WithDnAttributes) writer.WriteBoolean(true, Choice(4, isConstructed: false));
        }
    }
}
