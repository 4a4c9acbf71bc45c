using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Postgres
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
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    scanned_at = table.Column<long>(type: "bigint", nullable: false),
                    platform = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: true, collation: "C"),
                    source_manifest = table.Column<string>(type: "character varying(135)", maxLength: 135, nullable: true, collation: "C"),
                    source_document = table.Column<string>(type: "character varying(135)", maxLength: 135, nullable: true, collation: "C"),
                    secrets = table.Column<int>(type: "integer", nullable: true),
                    misconfigurations = table.Column<int>(type: "integer", nullable: true),
                    problems = table.Column<byte[]>(type: "bytea", nullable: true),
                    base_layers = table.Column<int>(type: "integer", nullable: false),
                    base_name = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: true, collation: "C"),
                    base_digest = table.Column<string>(type: "character varying(135)", maxLength: 135, nullable: true, collation: "C")
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
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<int>(type: "integer", nullable: false),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    requested_at = table.Column<long>(type: "bigint", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: true),
                    finished_at = table.Column<long>(type: "bigint", nullable: true),
                    problem = table.Column<string>(type: "character varying(2000)", maxLength: 2000, nullable: true, collation: "C"),
                    sbom_digest = table.Column<string>(type: "character varying(135)", maxLength: 135, nullable: true, collation: "C")
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
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    layers = table.Column<int>(type: "integer", nullable: false),
                    chain_id = table.Column<string>(type: "character varying(160)", maxLength: 160, nullable: false, collation: "C"),
                    is_whole = table.Column<bool>(type: "boolean", nullable: false)
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
