#!/usr/bin/env bash
# shellcheck disable=SC1091
# Every object store that tests want, at once: Ceph (S3), OpenStack Swift (S3 and native), Azurite where its script is there.
# Prints BERTH_TEST_…=VALUE lines on stdout, one for each that runs; a store that cannot be had is left out, with a line on stderr.
# usage: start-stores.sh start DIR [PORT] | stop DIR | status DIR     (uses PORT to PORT+19)
# env: STORES (default "ceph swift azurite"), CEPH_SUITE (default sid)
set -uo pipefail
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ACTION=${1:-} DIR=${2:-} PORT=${3:-18100}
STORES=${STORES:-ceph swift azurite}
export CEPH_SUITE=${CEPH_SUITE:-sid}
[ -n "$DIR" ] || { echo "usage: start-stores.sh start DIR [PORT] | stop DIR | status DIR" >&2; exit 1; }

script() { case $1 in ceph) echo start-ceph-rgw.sh ;; *) echo "start-$1.sh" ;; esac; }
port() { case $1 in ceph) echo "$PORT" ;; swift) echo $((PORT + 5)) ;; *) echo $((PORT + 12)) ;; esac; }

# value NAME FILE : a setting of a script's output.
value() { sed -n "s/^$1=//p" "$2" | head -n 1; }

# print STORE FILE : its settings in the words of the tests.
print() {
  case $1 in
    ceph) printf 'BERTH_TEST_S3=%s;%s;%s\n' "$(value S3_ENDPOINT "$2")" "$(value S3_ACCESS_KEY "$2")" "$(value S3_SECRET_KEY "$2")" ;;
    swift)
      printf 'BERTH_TEST_S3_STRICT=%s;%s;%s\n' "$(value S3_ENDPOINT "$2")" "$(value S3_ACCESS_KEY "$2")" "$(value S3_SECRET_KEY "$2")"
      printf 'BERTH_TEST_SWIFT=%s;%s;%s\n' "$(value SWIFT_AUTH_URL "$2")" "$(value SWIFT_USER "$2")" "$(value SWIFT_KEY "$2")" ;;
    azurite) printf 'BERTH_TEST_AZURE=%s\n' "$(value AZURE_CONNECTION_STRING "$2")" ;;
  esac
}

case $ACTION in
  start)
    mkdir -p "$DIR"
    # All at once: what takes long is to unpack, and they do not disturb each other (apt waits for its lock).
    for store in $STORES; do
      [ -e "$TOOLS/$(script "$store")" ] || continue
      bash "$TOOLS/$(script "$store")" start "$DIR/$store" "$(port "$store")" < /dev/null > "$DIR/$store.settings" 2> "$DIR/$store.log" &
      echo $! > "$DIR/$store.starting"
    done
    for store in $STORES; do
      [ -e "$DIR/$store.starting" ] || continue
      if wait "$(cat "$DIR/$store.starting")"; then print "$store" "$DIR/$store.settings"; else echo "$store does not start: $(tail -n 1 "$DIR/$store.log")" >&2; fi
      rm -f "$DIR/$store.starting"
    done ;;
  status)
    for store in $STORES; do
      [ -d "$DIR/$store" ] || continue
      bash "$TOOLS/$(script "$store")" status "$DIR/$store" > "$DIR/$store.settings" && print "$store" "$DIR/$store.settings"
    done ;;
  stop)
    for store in $STORES; do
      [ -d "$DIR/$store" ] || continue
      bash "$TOOLS/$(script "$store")" stop "$DIR/$store"
    done ;;
  *) echo "usage: start-stores.sh start DIR [PORT] | stop DIR | status DIR" >&2; exit 1 ;;
esac
