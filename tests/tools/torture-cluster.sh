#!/usr/bin/env bash
# Three replicas, PostgreSQL, S3 and nginx under random load and random faults; a checker says whether anything was lost, came back, dangles or stayed behind.
# Builds, installs, starts and stops everything itself, on loopback and in temp folders. The last line is the result; exit 1 when something was found.
# usage: torture-cluster.sh [--minutes N] [--seconds N] [--seed N] [--clients N] [--report DIR] | --measure
#   --minutes   how long faults and load last (default 10); what is to be collected is waited for afterwards
#   --seed      order of operations and faults (default: random, and printed)
#   --report    where report.txt and, after a finding, the replicas' logs go (default: a new temp folder)
#   --measure   no faults: push and pull through nginx before one replica and before three, with the processor time of each part
# environment: BERTH_TEST_S3 (URL;ACCESSKEY;SECRETKEY) uses a running S3 server instead of starting Ceph; CONFIGURATION (default Release)
set -euo pipefail
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$TOOLS/../.." && pwd)
seconds=600 seed=$((RANDOM * 32768 + RANDOM)) clients=10 report='' class=ClusterTortureTests explicit=off
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) seconds=$(($2 * 60)); shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --clients) clients=$2; shift 2 ;;
    --report) report=$2; shift 2 ;;
    --measure) class=ClusterMeasureTests explicit=only; shift ;;
    *) sed -n '2,10p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
  esac
done
[ -z "$report" ] || rm -f "$report/report.txt"
report=${report:-$(mktemp -d /tmp/berth-torture.XXXXXX)}
mkdir -p "$report"
configuration=${CONFIGURATION:-Release}
stores=''
cleanup() {
  if [ -n "$stores" ]; then
    STORES=ceph bash "$TOOLS/start-stores.sh" stop "$stores" > "$report/stores-stop.log" 2>&1 || true
    rm -rf --one-file-system "$stores"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

command -v nginx > /dev/null || [ -x /usr/sbin/nginx ] || bash "$TOOLS/install-real-clients.sh" nginx >&2
dotnet build "$ROOT/tests/Berth.Torture" -c "$configuration" -v q -p:RunAnalyzers=false -tl:off > "$report/build.log" 2>&1 || { tail -n 20 "$report/build.log"; exit 1; }
if [ -z "${BERTH_TEST_S3:-}" ]; then
  # A short name: Ceph keeps it in the names of sockets.
  stores=$(mktemp -d /tmp/berth-stores.XXXXXX)
  STORES=ceph bash "$TOOLS/start-stores.sh" start "$stores" $((30000 + RANDOM % 1000 * 2)) > "$report/stores.settings" 2> "$report/stores.log"
  BERTH_TEST_S3=$(sed -n 's/^BERTH_TEST_S3=//p' "$report/stores.settings")
  [ -n "$BERTH_TEST_S3" ] || { cat "$report/stores.log"; exit 1; }
fi
output=$(echo "$configuration" | tr '[:upper:]' '[:lower:]')
export BERTH_TEST_S3 CI=true BERTH_BINARY="$ROOT/artifacts/bin/Berth/$output/berth"
export BERTH_TORTURE_SECONDS=$seconds BERTH_TORTURE_SEED=$seed BERTH_TORTURE_CLIENTS=$clients BERTH_TORTURE_REPORT=$report
[ "$class" = ClusterMeasureTests ] || echo "seed $seed, $seconds s, $clients clients; report in $report"
code=0
"$ROOT/artifacts/bin/Berth.Torture/$output/Berth.Torture" --no-ansi --no-progress --explicit "$explicit" --filter-class "Berth.Torture.Cluster.$class" > "$report/run.log" 2>&1 || code=$?
[ -f "$report/report.txt" ] || code=1
[ "$code" = 0 ] || tail -n 60 "$report/run.log"
[ ! -f "$report/report.txt" ] || cat "$report/report.txt"
exit "$code"
