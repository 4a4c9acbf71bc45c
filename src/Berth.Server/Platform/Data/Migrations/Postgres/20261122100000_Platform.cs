using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Postgres
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
                    kind = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    since = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_pauses", x => x.kind);
                });

            migrationBuilder.CreateTable(
                name: "job_schedules",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    kind = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    vendor_key = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: false, collation: "C"),
                    cron = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: false, collation: "C"),
                    payload = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    project_id = table.Column<long>(type: "bigint", nullable: true),
                    next_run_at = table.Column<long>(type: "bigint", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_schedules", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    kind = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    state = table.Column<int>(type: "integer", nullable: false),
                    trigger_kind = table.Column<int>(type: "integer", nullable: false),
                    payload = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    due_at = table.Column<long>(type: "bigint", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    max_attempts = table.Column<int>(type: "integer", nullable: false),
                    lease_owner = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true, collation: "C"),
                    cancel_requested = table.Column<bool>(type: "boolean", nullable: false),
                    progress_percent = table.Column<int>(type: "integer", nullable: true),
                    progress_text = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    error = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    result = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    project_id = table.Column<long>(type: "bigint", nullable: true),
                    vendor_key = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: true, collation: "C"),
                    schedule_id = table.Column<long>(type: "bigint", nullable: true),
                    dedupe_key = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: true, collation: "C"),
                    group_key = table.Column<string>(type: "character varying(512)", maxLength: 512, nullable: true, collation: "C"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: true),
                    finished_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_jobs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "job_logs",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false, collation: "C")
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
