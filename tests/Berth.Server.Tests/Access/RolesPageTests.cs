using System.Text;
using Berth.Server.Access;

namespace Berth.Server.Tests.Access;

/// <summary>The table of roles in <c>docs/permissions.md</c> is written from the roles themselves.</summary>
public sealed class RolesPageTests
{
    [Fact]
    public void The_page_shows_what_each_role_allows()
    {
        var table = new StringBuilder("| Permission |");
        foreach (var role in BuiltInRoles.All) table.Append(' ').Append(role.Name).Append(" |");
        table.Append(" public |\n|---|").Append(string.Concat(Enumerable.Repeat("---|", BuiltInRoles.All.Count + 1))).Append('\n');
        foreach (var permission in ProjectPermissions.All)
        {
            table.Append("| `").Append(permission).Append("` |");
            foreach (var set in BuiltInRoles.All.Select(r => r.Rights).Append(BuiltInRoles.PublicProject)) table.Append(set.Has(permission) ? " yes |" : " |");
            table.Append('\n');
        }
        Approval.VerifyPart(table.ToString(), "docs/permissions.md", "roles");
    }

    [Fact]
    public void Each_role_covers_the_next_one()
    {
        for (var i = 1; i < BuiltInRoles.All.Count; i++) Assert.True(BuiltInRoles.All[i - 1].Rights.Covers(BuiltInRoles.All[i].Rights), BuiltInRoles.All[i].Name);
    }
}
