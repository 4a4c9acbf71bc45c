using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Platform : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "job_pauses",
                columns: table => new
                {
                    kind = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    since = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_pauses", x => x.kind);
                });

            migrationBuilder.CreateTable(
                name: "job_schedules",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    kind = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    vendor_key = table.Column<string>(type: "TEXT", maxLength: 512, nullable: false),
                    cron = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    payload = table.Column<string>(type: "TEXT", nullable: false),
                    project_id = table.Column<long>(type: "INTEGER", nullable: true),
                    next_run_at = table.Column<long>(type: "INTEGER", nullable: false),
                    enabled = table.Column<bool>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_schedules", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    kind = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    state = table.Column<int>(type: "INTEGER", nullable: false),
                    trigger_kind = table.Column<int>(type: "INTEGER", nullable: false),
                    payload = table.Column<string>(type: "TEXT", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: false),
                    attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    failures = table.Column<int>(type: "INTEGER", nullable: false),
                    max_attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    lease_owner = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    cancel_requested = table.Column<bool>(type: "INTEGER", nullable: false),
                    progress_percent = table.Column<int>(type: "INTEGER", nullable: true),
                    progress_text = table.Column<string>(type: "TEXT", nullable: true),
                    error = table.Column<string>(type: "TEXT", nullable: true),
                    result = table.Column<string>(type: "TEXT", nullable: true),
                    project_id = table.Column<long>(type: "INTEGER", nullable: true),
                    vendor_key = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    schedule_id = table.Column<long>(type: "INTEGER", nullable: true),
                    dedupe_key = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    group_key = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_jobs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "job_logs",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    seq = table.Column<long>(type: "INTEGER", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_logs", x => new { x.job_id, x.seq });
                    table.ForeignKey(
                        name: "FK_job_logs_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_job_schedules_kind_vendor_key",
                table: "job_schedules",
                columns: new[] { "kind", "vendor_key" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_job_schedules_next_run_at",
                table: "job_schedules",
                column: "next_run_at",
                filter: "enabled");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_dedupe_key",
                table: "jobs",
                column: "dedupe_key",
                unique: true,
                filter: "dedupe_key IS NOT NULL AND state < 3");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_finished_at",
                table: "jobs",
                column: "finished_at",
                filter: "finished_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_group_key_id",
                table: "jobs",
                columns: new[] { "group_key", "id" },
                filter: "group_key IS NOT NULL AND state < 3");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_kind_due_at",
                table: "jobs",
                columns: new[] { "kind", "due_at" },
                filter: "state IN (0, 2)");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_kind_state_id",
                table: "jobs",
                columns: new[] { "kind", "state", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_jobs_project_id_id",
                table: "jobs",
                columns: new[] { "project_id", "id" },
                filter: "project_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_vendor_key_id",
                table: "jobs",
                columns: new[] { "vendor_key", "id" },
                filter: "vendor_key IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_logs");

            migrationBuilder.DropTable(
                name: "job_pauses");

            migrationBuilder.DropTable(
                name: "job_schedules");

            migrationBuilder.DropTable(
                name: "jobs");
        }
    }
}
