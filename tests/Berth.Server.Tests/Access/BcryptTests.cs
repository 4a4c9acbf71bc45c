using Berth.Server.Access;

namespace Berth.Server.Tests.Access;

public sealed class BcryptTests
{
    // Openwall's crypt_blowfish vectors, and one written by Apache's htpasswd -B.
    public static TheoryData<string, string> Vectors => new()
    {
        { "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
        { "U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK" },
        { "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a" },
        { "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy" },
        {
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Known_hashes_match_their_passwords_in_both_implementations(string password, string hash)
    {
        Assert.True(Bcrypt.Verify(hash, password));
        Assert.True(Bcrypt.VerifyManaged(hash, password));
        Assert.False(Bcrypt.Verify(hash, "x" + password));
        Assert.False(Bcrypt.VerifyManaged(hash, "x" + password));
        // The variants y and b compute what a correct a computes.
        Assert.True(Bcrypt.Verify(hash.Replace("$2a$", "$2y$", StringComparison.Ordinal), password));
        Assert.True(Bcrypt.Verify(hash.Replace("$2a$", "$2b$", StringComparison.Ordinal), password));
        Assert.True(Bcrypt.VerifyManaged(hash.Replace("$2a$", "$2y$", StringComparison.Ordinal), password));
    }

    [Fact]
    public void A_generated_hash_matches_its_password_with_letters_beyond_ascii()
    {
        var hash = Bcrypt.Hash("grüße-\u4f60", cost: 4);
        Assert.StartsWith("$2y$04$", hash, StringComparison.Ordinal);
        Assert.True(Bcrypt.Verify(hash, "grüße-\u4f60"));
        Assert.True(Bcrypt.VerifyManaged(hash, "grüße-\u4f60"));
        Assert.False(Bcrypt.Verify(hash, "grusse-\u4f60"));
    }

    [Fact]
    public void A_password_is_not_cut_at_a_nul()
    {
        var hash = Bcrypt.Hash("secret", cost: 4);
        Assert.False(Bcrypt.Verify(hash, "secret\0more"));
    }

    [Theory]
    [InlineData("$apr1$x$y")]
    [InlineData("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=")]
    [InlineData("$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2a$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe")]
    [InlineData("$2a$05$CCCCCCCCCCCCCCCCCCCC:.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("")]
    public void Other_texts_are_no_hash_and_match_nothing(string hash)
    {
        Assert.False(Bcrypt.IsHash(hash));
        Assert.False(Bcrypt.Verify(hash, "U*U"));
    }

    [Fact]
    public void The_hash_for_unknown_names_is_well_formed_and_costs_what_it_says()
    {
        var hash = Bcrypt.Unmatchable(6);
        Assert.True(Bcrypt.IsHash(hash));
        Assert.Equal(6, Bcrypt.CostOf(hash));
        Assert.False(Bcrypt.Verify(hash, ""));
        Assert.False(Bcrypt.VerifyManaged(hash, "anything"));
    }
}
