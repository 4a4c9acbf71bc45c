using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Postgres
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
                type: "character varying(1000)",
                maxLength: 1000,
                nullable: true,
                collation: "C");

            migrationBuilder.CreateTable(
                name: "adapter_scans",
                columns: table => new
                {
                    id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<int>(type: "integer", nullable: false),
                    registry_url = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    registry_authorization = table.Column<byte[]>(type: "bytea", nullable: true),
                    repository = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    digest = table.Column<string>(type: "character varying(160)", maxLength: 160, nullable: false, collation: "C"),
                    tag = table.Column<string>(type: "character varying(160)", maxLength: 160, nullable: false, collation: "C"),
                    media_type = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: false, collation: "C"),
                    wants_report = table.Column<bool>(type: "boolean", nullable: false),
                    wants_spdx = table.Column<bool>(type: "boolean", nullable: false),
                    wants_cyclonedx = table.Column<bool>(type: "boolean", nullable: false),
                    problem = table.Column<string>(type: "character varying(2000)", maxLength: 2000, nullable: true, collation: "C"),
                    report = table.Column<byte[]>(type: "bytea", nullable: true),
                    spdx = table.Column<byte[]>(type: "bytea", nullable: true),
                    cyclonedx = table.Column<byte[]>(type: "bytea", nullable: true),
                    requested_at = table.Column<long>(type: "bigint", nullable: false),
                    finished_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_adapter_scans", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "project_scanners",
                columns: table => new
                {
                    project_id = table.Column<long>(type: "bigint", nullable: false),
                    scanner_id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C")
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
                    manifest_id = table.Column<long>(type: "bigint", nullable: false),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    scanner_id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    request_id = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: true, collation: "C"),
                    secret_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    began_at = table.Column<long>(type: "bigint", nullable: false),
                    ends_at = table.Column<long>(type: "bigint", nullable: false),
                    looks = table.Column<int>(type: "integer", nullable: false)
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
                    id = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    name = table.Column<string>(type: "character varying(128)", maxLength: 128, nullable: false, collation: "C"),
                    description = table.Column<string>(type: "character varying(1024)", maxLength: 1024, nullable: false, collation: "C"),
                    url = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    kind = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false, collation: "C"),
                    auth = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    credential = table.Column<byte[]>(type: "bytea", nullable: true),
                    skip_cert_verify = table.Column<bool>(type: "boolean", nullable: false),
                    is_disabled = table.Column<bool>(type: "boolean", nullable: false),
                    use_internal_address = table.Column<bool>(type: "boolean", nullable: false),
                    is_default = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false)
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
