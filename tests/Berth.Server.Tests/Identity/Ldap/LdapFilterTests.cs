using System.Formats.Asn1;
using System.Text;
using Berth.Server.Identity.Ldap;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Identity.Ldap;

public sealed class LdapFilterTests
{
    [Theory]
    [InlineData("(cn=a)", "A3070402636E040161")]
    [InlineData("cn=a", "A3070402636E040161")]
    [InlineData("(cn=*)", "8702636E")]
    [InlineData("(!(cn=a))", "A209A3070402636E040161")]
    [InlineData("(cn=\\2a)", "A3070402636E04012A")]
    [InlineData("(cn=a*b)", "A40C0402636E3006800161820162")]
    [InlineData("(&(cn=a)(cn=*))", "A00DA3070402636E0401618702636E")]
    [InlineData("(m:1.2:=a)", "A90B8103312E3282016D830161")]
    public void The_text_form_becomes_the_bytes_of_the_protocol(string text, string hex)
    {
        Assert.True(LdapFilter.TryParse(text, out var filter));
        Assert.Equal(hex, Convert.ToHexString(Encode(filter)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("(")]
    [InlineData("(cn=a")]
    [InlineData("(cn=a))")]
    [InlineData("(cn=a)(cn=b)")]
    [InlineData("(&)")]
    [InlineData("(=a)")]
    [InlineData("( =a)")]
    [InlineData("(c n=a)")]
    [InlineData("(cn=a\\)")]
    [InlineData("(cn=\\zz)")]
    [InlineData("(cn=a(b)")]
    [InlineData("(:=a)")]
    public void What_is_no_filter_is_not_read(string text) => Assert.False(LdapFilter.TryParse(text, out _));

    [Fact]
    public void A_filter_without_end_does_not_exhaust_the_stack() => Assert.False(LdapFilter.TryParse(string.Concat(Enumerable.Repeat("(!", 4000)), out _));

    [Fact]
    public void Any_name_is_a_value_and_nothing_else() => Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
    {
        var value = text.Get;
        var reader = new AsnReader(Encode(LdapFilter.Equal("uid", value)), AsnEncodingRules.BER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true));
        return reader.ReadOctetString().AsSpan().SequenceEqual("uid"u8) && reader.ReadOctetString().AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(value)) && !reader.HasData;
    }));

    [Fact]
    public void Reading_any_text_ends_without_an_exception() =>
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text => LdapFilter.TryParse("(" + text.Get, out _) || true));

    [Theory]
    [InlineData("cn=a, OU=Groups,dc=X", "ou=groups,dc=x", true)]
    [InlineData("ou=groups,dc=x", "OU=groups, dc=x", true)]
    [InlineData("cn=a\\,ou=groups,dc=x", "ou=groups,dc=x", false)]
    [InlineData("cn=a,ou=nogroups,dc=x", "ou=groups,dc=x", false)]
    [InlineData("dc=x", "ou=groups,dc=x", false)]
    [InlineData("cn=a,dc=x", "", true)]
    [InlineData("nonsense", "dc=x", false)]
    public void Names_are_below_a_base_by_their_parts(string dn, string baseDn, bool isBelow) => Assert.Equal(isBelow, LdapDn.IsBelow(dn, baseDn));

    [Theory]
    [InlineData("ldap.example.com", "ldap://ldap.example.com:389")]
    [InlineData("ldap.example.com:636", "ldaps://ldap.example.com:636")]
    [InlineData("ldap://h:636", "ldaps://h:636")]
    [InlineData("ldaps://h", "ldaps://h:636")]
    [InlineData("ldaps://h:389", "ldaps://h:389")]
    [InlineData("ldap://h:10389/", "ldap://h:10389")]
    public void Addresses_are_read_as_harbor_does(string text, string address) => Assert.Equal(address, LdapAddress.Parse(text).ToString());

    [Theory]
    [InlineData("http://h")]
    [InlineData("ldap://")]
    [InlineData("ldap://a:b@h")]
    public void Other_addresses_are_refused(string text) => Assert.Throws<FormatException>(() => LdapAddress.Parse(text));

    [Fact]
    public void Every_wrong_setting_is_reported_together()
    {
        var wrong = new LdapOptions { Url = "http://x", BaseDn = "x", Filter = "((", Uid = "a b", Timeout = TimeSpan.Zero, CaPath = "/nowhere" };
        Assert.Equal(["url", "baseDn", "filter", "uid", "timeout", "caPath"], LdapRules.Check(wrong).Select(p => p!.Value.Key));
        Assert.Empty(LdapRules.Check(new LdapOptions { BaseDn = "x" }));
    }

    private static byte[] Encode(LdapFilter filter)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        filter.Write(writer);
        return writer.Encode();
    }
}
