using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class ScanContents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "artifact_contents",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    scanned_at = table.Column<long>(type: "INTEGER", nullable: false),
                    platform = table.Column<string>(type: "TEXT", maxLength: 128, nullable: true),
                    source_manifest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: true),
                    source_document = table.Column<string>(type: "TEXT", maxLength: 135, nullable: true),
                    secrets = table.Column<int>(type: "INTEGER", nullable: true),
                    misconfigurations = table.Column<int>(type: "INTEGER", nullable: true),
                    problems = table.Column<byte[]>(type: "BLOB", nullable: true),
                    base_layers = table.Column<int>(type: "INTEGER", nullable: false),
                    base_name = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    base_digest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_artifact_contents", x => x.manifest_id);
                    table.ForeignKey(
                        name: "FK_artifact_contents_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "artifact_sboms",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    requested_at = table.Column<long>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    problem = table.Column<string>(type: "TEXT", maxLength: 2000, nullable: true),
                    sbom_digest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_artifact_sboms", x => x.manifest_id);
                    table.ForeignKey(
                        name: "FK_artifact_sboms_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "image_chains",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    layers = table.Column<int>(type: "INTEGER", nullable: false),
                    chain_id = table.Column<string>(type: "TEXT", maxLength: 160, nullable: false),
                    is_whole = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_image_chains", x => new { x.manifest_id, x.layers });
                    table.ForeignKey(
                        name: "FK_image_chains_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_image_chains_chain_id_is_whole",
                table: "image_chains",
                columns: new[] { "chain_id", "is_whole" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "artifact_contents");

            migrationBuilder.DropTable(
                name: "artifact_sboms");

            migrationBuilder.DropTable(
                name: "image_chains");
        }
    }
}
