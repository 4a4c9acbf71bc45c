using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
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
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "advisory_rounds",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    built_at = table.Column<long>(type: "INTEGER", nullable: false),
                    used_at = table.Column<long>(type: "INTEGER", nullable: false),
                    is_rollback = table.Column<bool>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    affected = table.Column<long>(type: "INTEGER", nullable: false),
                    judged = table.Column<long>(type: "INTEGER", nullable: false),
                    changed = table.Column<long>(type: "INTEGER", nullable: false),
                    new_findings = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_advisory_rounds", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "artifact_findings",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    vulnerability = table.Column<string>(type: "TEXT", maxLength: 128, nullable: false),
                    aliases = table.Column<string>(type: "TEXT", nullable: true),
                    package = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    version = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    fixed_version = table.Column<string>(type: "TEXT", nullable: true),
                    severity = table.Column<short>(type: "INTEGER", nullable: false),
                    status = table.Column<short>(type: "INTEGER", nullable: false),
                    score = table.Column<double>(type: "REAL", nullable: true),
                    path = table.Column<string>(type: "TEXT", nullable: true),
                    layer = table.Column<string>(type: "TEXT", nullable: true),
                    from_base = table.Column<bool>(type: "INTEGER", nullable: true),
                    first_seen = table.Column<long>(type: "INTEGER", nullable: false)
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
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    project_id = table.Column<long>(type: "INTEGER", nullable: false),
                    user_id = table.Column<long>(type: "INTEGER", nullable: false),
                    user_name = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: true),
                    size_bytes = table.Column<long>(type: "INTEGER", nullable: true)
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
                    project_id = table.Column<long>(type: "INTEGER", nullable: false),
                    day = table.Column<int>(type: "INTEGER", nullable: false),
                    images = table.Column<long>(type: "INTEGER", nullable: false),
                    critical = table.Column<long>(type: "INTEGER", nullable: false),
                    high = table.Column<long>(type: "INTEGER", nullable: false),
                    medium = table.Column<long>(type: "INTEGER", nullable: false),
                    low = table.Column<long>(type: "INTEGER", nullable: false),
                    unknown = table.Column<long>(type: "INTEGER", nullable: false),
                    fixable = table.Column<long>(type: "INTEGER", nullable: false)
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
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    part = table.Column<int>(type: "INTEGER", nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false)
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
