using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class ScanFindings : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "diff_ids",
                table: "artifact_scans",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.CreateTable(
                name: "advisory_rounds",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    built_at = table.Column<long>(type: "bigint", nullable: false),
                    used_at = table.Column<long>(type: "bigint", nullable: false),
                    is_rollback = table.Column<bool>(type: "boolean", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    finished_at = table.Column<long>(type: "bigint", nullable: true),
                    affected = table.Column<long>(type: "bigint", nullable: false),
                    judged = table.Column<long>(type: "bigint", nullable: false),
                    changed = table.Column<long>(type: "bigint", nullable: false),
                    new_findings = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_advisory_rounds", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "artifact_findings",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    vulnerability = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false, collation: "C"),
                    aliases = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    package = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    version = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    fixed_version = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    severity = table.Column<short>(type: "smallint", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    score = table.Column<double>(type: "double precision", nullable: true),
                    path = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    layer = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    from_base = table.Column<bool>(type: "boolean", nullable: true),
                    first_seen = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_artifact_findings", x => x.id);
                    table.ForeignKey(
                        name: "FK_artifact_findings_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "scan_exports",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    project_id = table.Column<long>(type: "bigint", nullable: false),
                    user_id = table.Column<long>(type: "bigint", nullable: false),
                    user_name = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C"),
                    name = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C"),
                    expires_at = table.Column<long>(type: "bigint", nullable: true),
                    size_bytes = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_scan_exports", x => x.job_id);
                    table.ForeignKey(
                        name: "FK_scan_exports_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "scan_trend",
                columns: table => new
                {
                    project_id = table.Column<long>(type: "bigint", nullable: false),
                    day = table.Column<int>(type: "integer", nullable: false),
                    images = table.Column<long>(type: "bigint", nullable: false),
                    critical = table.Column<long>(type: "bigint", nullable: false),
                    high = table.Column<long>(type: "bigint", nullable: false),
                    medium = table.Column<long>(type: "bigint", nullable: false),
                    low = table.Column<long>(type: "bigint", nullable: false),
                    unknown = table.Column<long>(type: "bigint", nullable: false),
                    fixable = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_scan_trend", x => new { x.project_id, x.day });
                    table.ForeignKey(
                        name: "FK_scan_trend_projects_project_id",
                        column: x => x.project_id,
                        principalTable: "projects",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "scan_export_parts",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    part = table.Column<int>(type: "integer", nullable: false),
                    content = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_scan_export_parts", x => new { x.job_id, x.part });
                    table.ForeignKey(
                        name: "FK_scan_export_parts_scan_exports_job_id",
                        column: x => x.job_id,
                        principalTable: "scan_exports",
                        principalColumn: "job_id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_artifact_scans_database_built_at_manifest_id",
                table: "artifact_scans",
                columns: new[] { "database_built_at", "manifest_id" });

            migrationBuilder.CreateIndex(
                name: "IX_artifact_findings_manifest_id",
                table: "artifact_findings",
                column: "manifest_id");

            migrationBuilder.CreateIndex(
                name: "IX_artifact_findings_package",
                table: "artifact_findings",
                column: "package");

            migrationBuilder.CreateIndex(
                name: "IX_artifact_findings_score_vulnerability",
                table: "artifact_findings",
                columns: new[] { "score", "vulnerability" });

            migrationBuilder.CreateIndex(
                name: "IX_artifact_findings_severity_id",
                table: "artifact_findings",
                columns: new[] { "severity", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_artifact_findings_vulnerability_manifest_id",
                table: "artifact_findings",
                columns: new[] { "vulnerability", "manifest_id" });

            migrationBuilder.CreateIndex(
                name: "IX_scan_exports_expires_at",
                table: "scan_exports",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_scan_exports_user_name",
                table: "scan_exports",
                column: "user_name");

            migrationBuilder.CreateIndex(
                name: "IX_scan_trend_day",
                table: "scan_trend",
                column: "day");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "advisory_rounds");

            migrationBuilder.DropTable(
                name: "artifact_findings");

            migrationBuilder.DropTable(
                name: "scan_export_parts");

            migrationBuilder.DropTable(
                name: "scan_trend");

            migrationBuilder.DropTable(
                name: "scan_exports");

            migrationBuilder.DropIndex(
                name: "IX_artifact_scans_database_built_at_manifest_id",
                table: "artifact_scans");

            migrationBuilder.DropColumn(
                name: "diff_ids",
                table: "artifact_scans");
        }
    }
}
