using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Stores : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "committing_key",
                table: "uploads",
                type: "character varying(160)",
                maxLength: 160,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "state",
                table: "uploads",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "store",
                table: "uploads",
                type: "character varying(64)",
                maxLength: 64,
                nullable: false,
                defaultValue: "default",
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "key",
                table: "blobs",
                type: "character varying(160)",
                maxLength: 160,
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<long>(
                name: "quarantined_at",
                table: "blobs",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "store",
                table: "blobs",
                type: "character varying(64)",
                maxLength: 64,
                nullable: false,
                defaultValue: "default",
                collation: "C");

            migrationBuilder.CreateTable(
                name: "blob_removals",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    store = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    key = table.Column<string>(type: "character varying(160)", maxLength: 160, nullable: true, collation: "C"),
                    digest = table.Column<string>(type: "character varying(135)", maxLength: 135, nullable: false, collation: "C"),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    upload_id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true, collation: "C"),
                    upload_state = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_blob_removals", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "blob_reviews",
                columns: table => new
                {
                    blob_id = table.Column<long>(type: "bigint", nullable: false),
                    repository_id = table.Column<long>(type: "bigint", nullable: false),
                    since = table.Column<long>(type: "bigint", nullable: false),
                    claimed_until = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_blob_reviews", x => new { x.blob_id, x.repository_id });
                });

            migrationBuilder.CreateTable(
                name: "data_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "character varying(36)", maxLength: 36, nullable: false, collation: "C"),
                    master_key_id = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C"),
                    wrapped = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    is_current = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "gc_holds",
                columns: table => new
                {
                    id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    until = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false, defaultValue: "", collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gc_holds", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "installation_facts",
                columns: table => new
                {
                    name = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    value = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_installation_facts", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "manifest_reviews",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    since = table.Column<long>(type: "bigint", nullable: false),
                    look_from = table.Column<long>(type: "bigint", nullable: false),
                    claimed_until = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_manifest_reviews", x => x.manifest_id);
                    table.ForeignKey(
                        name: "FK_manifest_reviews_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "rate_limits",
                columns: table => new
                {
                    key = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: false, collation: "C"),
                    earliest = table.Column<long>(type: "bigint", nullable: false),
                    granted = table.Column<int>(type: "integer", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    period = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_rate_limits", x => x.key);
                });

            migrationBuilder.CreateIndex(
                name: "IX_blobs_quarantined_at",
                table: "blobs",
                column: "quarantined_at",
                filter: "quarantined_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_blob_removals_digest",
                table: "blob_removals",
                column: "digest");

            migrationBuilder.CreateIndex(
                name: "IX_blob_removals_due_at",
                table: "blob_removals",
                column: "due_at");

            migrationBuilder.CreateIndex(
                name: "IX_blob_reviews_since",
                table: "blob_reviews",
                column: "since");

            migrationBuilder.CreateIndex(
                name: "IX_manifest_reviews_look_from",
                table: "manifest_reviews",
                column: "look_from");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "blob_removals");

            migrationBuilder.DropTable(
                name: "blob_reviews");

            migrationBuilder.DropTable(
                name: "data_keys");

            migrationBuilder.DropTable(
                name: "gc_holds");

            migrationBuilder.DropTable(
                name: "installation_facts");

            migrationBuilder.DropTable(
                name: "manifest_reviews");

            migrationBuilder.DropTable(
                name: "rate_limits");

            migrationBuilder.DropIndex(
                name: "IX_blobs_quarantined_at",
                table: "blobs");

            migrationBuilder.DropColumn(
                name: "committing_key",
                table: "uploads");

            migrationBuilder.DropColumn(
                name: "state",
                table: "uploads");

            migrationBuilder.DropColumn(
                name: "store",
                table: "uploads");

            migrationBuilder.DropColumn(
                name: "key",
                table: "blobs");

            migrationBuilder.DropColumn(
                name: "quarantined_at",
                table: "blobs");

            migrationBuilder.DropColumn(
                name: "store",
                table: "blobs");
        }
    }
}
