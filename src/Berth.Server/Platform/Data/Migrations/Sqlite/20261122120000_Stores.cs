using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
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
                type: "TEXT",
                maxLength: 160,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "state",
                table: "uploads",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "store",
                table: "uploads",
                type: "TEXT",
                maxLength: 64,
                nullable: false,
                defaultValue: "default");

            migrationBuilder.AddColumn<string>(
                name: "key",
                table: "blobs",
                type: "TEXT",
                maxLength: 160,
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "quarantined_at",
                table: "blobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "store",
                table: "blobs",
                type: "TEXT",
                maxLength: 64,
                nullable: false,
                defaultValue: "default");

            migrationBuilder.CreateTable(
                name: "blob_removals",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    store = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    key = table.Column<string>(type: "TEXT", maxLength: 160, nullable: true),
                    digest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: false),
                    size = table.Column<long>(type: "INTEGER", nullable: false),
                    upload_id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    upload_state = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_blob_removals", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "blob_reviews",
                columns: table => new
                {
                    blob_id = table.Column<long>(type: "INTEGER", nullable: false),
                    repository_id = table.Column<long>(type: "INTEGER", nullable: false),
                    since = table.Column<long>(type: "INTEGER", nullable: false),
                    claimed_until = table.Column<long>(type: "INTEGER", nullable: false, defaultValue: 0L)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_blob_reviews", x => new { x.blob_id, x.repository_id });
                });

            migrationBuilder.CreateTable(
                name: "data_keys",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 36, nullable: false),
                    master_key_id = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    wrapped = table.Column<byte[]>(type: "BLOB", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    is_current = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_keys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "gc_holds",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false, defaultValue: "")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gc_holds", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "installation_facts",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    value = table.Column<string>(type: "TEXT", maxLength: 1000, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_installation_facts", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "manifest_reviews",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    since = table.Column<long>(type: "INTEGER", nullable: false),
                    look_from = table.Column<long>(type: "INTEGER", nullable: false),
                    claimed_until = table.Column<long>(type: "INTEGER", nullable: false, defaultValue: 0L)
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
                    key = table.Column<string>(type: "TEXT", maxLength: 300, nullable: false),
                    earliest = table.Column<long>(type: "INTEGER", nullable: false),
                    granted = table.Column<int>(type: "INTEGER", nullable: false),
                    step = table.Column<long>(type: "INTEGER", nullable: false),
                    period = table.Column<long>(type: "INTEGER", nullable: false)
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
