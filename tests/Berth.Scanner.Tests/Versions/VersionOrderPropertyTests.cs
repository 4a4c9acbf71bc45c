using Berth.Scanner.Inventory;
using Berth.Scanner.Versions;

namespace Berth.Scanner.Tests.Versions;

/// <summary>What must hold of every order on any text.</summary>
public sealed class VersionOrderPropertyTests
{
    private const string Alphabet = "0123456789019..--~^+:_ abrcvpx-alphardevpost=<>~>|,*()[]\u00e9\u0000";

    public static TheoryData<PackageType> Types =>
        [PackageType.Dpkg, PackageType.Rpm, PackageType.Apk, PackageType.Npm, PackageType.PyPi, PackageType.Maven, PackageType.NuGet,
            PackageType.RubyGems, PackageType.Go, PackageType.Composer];

    [Theory]
    [MemberData(nameof(Types))]
    public void The_order_is_antisymmetric_and_transitive_on_any_text(PackageType type)
    {
        var order = VersionOrders.Of(type);
        var random = new Random(20261122);
        for (var i = 0; i < 20_000; i++)
        {
            string a = Text(random), b = Near(random, a), c = Near(random, random.Next(2) == 0 ? a : b);
            int ab = Math.Sign(order.Compare(a, b)), bc = Math.Sign(order.Compare(b, c)), ac = Math.Sign(order.Compare(a, c));
            Assert.Equal(0, order.Compare(a, a));
            Assert.True(ab == -Math.Sign(order.Compare(b, a)), $"not antisymmetric: '{a}' '{b}'");
            // Maven's own order is not transitive where a qualifier stands between dots.
            if (type != PackageType.Maven && ab <= 0 && bc <= 0)
                Assert.True(ac <= 0 && (ab == 0 && bc == 0) == (ac == 0), $"not transitive: '{a}' {ab} '{b}' {bc} '{c}' {ac}");
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Ranges_of_any_text_do_not_throw(PackageType type)
    {
        var order = VersionOrders.Of(type);
        var random = new Random(7);
        var held = 0;
        for (var i = 0; i < 20_000; i++)
        {
            if (order.Satisfies(Text(random), Text(random) + Text(random)) == true)
                held++;
        }
        Assert.True(held < 20_000);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Very_long_text_is_ordered_in_bounded_time(PackageType type)
    {
        var order = VersionOrders.Of(type);
        var much = string.Concat(Enumerable.Repeat("1-a.", 100_000));
        Assert.True(order.Compare(much, "1.0") < 0);
        Assert.True(order.Compare(much, much + "1") < 0);
    }

    private static string Text(Random random)
    {
        var length = random.Next(1, 9);
        return string.Create(length, random, static (span, random) =>
        {
            foreach (ref var c in span)
                c = Alphabet[random.Next(Alphabet.Length)];
        });
    }

    /// <summary>A text that shares a beginning with the other, so that the deep parts are compared too.</summary>
    private static string Near(Random random, string text) =>
        random.Next(4) == 0 ? Text(random) : text[..random.Next(text.Length + 1)] + Text(random)[..1] + (random.Next(2) == 0 ? Text(random) : "");
}
