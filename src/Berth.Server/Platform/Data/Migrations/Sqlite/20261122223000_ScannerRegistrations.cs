using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class ScannerRegistrations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "scanner",
                table: "artifact_scans",
                type: "TEXT",
                maxLength: 1000,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "adapter_scans",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    registry_url = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    registry_authorization = table.Column<byte[]>(type: "BLOB", nullable: true),
                    repository = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    digest = table.Column<string>(type: "TEXT", maxLength: 160, nullable: false),
                    tag = table.Column<string>(type: "TEXT", maxLength: 160, nullable: false),
                    media_type = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    wants_report = table.Column<bool>(type: "INTEGER", nullable: false),
                    wants_spdx = table.Column<bool>(type: "INTEGER", nullable: false),
                    wants_cyclonedx = table.Column<bool>(type: "INTEGER", nullable: false),
                    problem = table.Column<string>(type: "TEXT", maxLength: 2000, nullable: true),
                    report = table.Column<byte[]>(type: "BLOB", nullable: true),
                    spdx = table.Column<byte[]>(type: "BLOB", nullable: true),
                    cyclonedx = table.Column<byte[]>(type: "BLOB", nullable: true),
                    requested_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_adapter_scans", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "project_scanners",
                columns: table => new
                {
                    project_id = table.Column<long>(type: "INTEGER", nullable: false),
                    scanner_id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_project_scanners", x => x.project_id);
                    table.ForeignKey(
                        name: "FK_project_scanners_projects_project_id",
                        column: x => x.project_id,
                        principalTable: "projects",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "scan_tickets",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    scanner_id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    request_id = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    secret_hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    began_at = table.Column<long>(type: "INTEGER", nullable: false),
                    ends_at = table.Column<long>(type: "INTEGER", nullable: false),
                    looks = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_scan_tickets", x => x.job_id);
                    table.ForeignKey(
                        name: "FK_scan_tickets_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "scanner_registrations",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 128, nullable: false),
                    description = table.Column<string>(type: "TEXT", maxLength: 1024, nullable: false),
                    url = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    kind = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    auth = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    credential = table.Column<byte[]>(type: "BLOB", nullable: true),
                    skip_cert_verify = table.Column<bool>(type: "INTEGER", nullable: false),
                    is_disabled = table.Column<bool>(type: "INTEGER", nullable: false),
                    use_internal_address = table.Column<bool>(type: "INTEGER", nullable: false),
                    is_default = table.Column<bool>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_scanner_registrations", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_adapter_scans_requested_at",
                table: "adapter_scans",
                column: "requested_at");

            migrationBuilder.CreateIndex(
                name: "IX_adapter_scans_state",
                table: "adapter_scans",
                column: "state");

            migrationBuilder.CreateIndex(
                name: "IX_project_scanners_scanner_id",
                table: "project_scanners",
                column: "scanner_id");

            migrationBuilder.CreateIndex(
                name: "IX_scanner_registrations_name",
                table: "scanner_registrations",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_scan_tickets_manifest_id",
                table: "scan_tickets",
                column: "manifest_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "adapter_scans");

            migrationBuilder.DropTable(
                name: "project_scanners");

            migrationBuilder.DropTable(
                name: "scan_tickets");

            migrationBuilder.DropTable(
                name: "scanner_registrations");

            migrationBuilder.DropColumn(
                name: "scanner",
                table: "artifact_scans");
        }
    }
}
