#!/usr/bin/env bash
# shellcheck disable=SC1091
# Installs what tests/Berth.EndToEnd/Platform/HarborClient/flow.mjs needs, exactly the versions of its lock file, and prints the folder.
# usage: install-harbor-client.sh        env: HARBOR_CLIENT_HOME (where npm installs it)
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
FILES=$(cd "$(dirname "${BASH_SOURCE[0]}")/../Berth.EndToEnd/Platform/HarborClient" && pwd)
TO=${HARBOR_CLIENT_HOME:-$HOME/.cache/real-servers/harbor-client-$(sha256sum < "$FILES/package-lock.json" | cut -c1-12)}
need_apt node nodejs
need_apt npm npm
if [ ! -e "$TO/node_modules" ]; then
  # A name of its own until it is complete.
  rm -rf "$TO.$$" && mkdir -p "$TO.$$"
  cp "$FILES/package.json" "$FILES/package-lock.json" "$TO.$$/"
  log "installing swagger-client from npm"
  npm ci --prefix "$TO.$$" --ignore-scripts --no-audit --no-fund >&2
  mv -T "$TO.$$" "$TO"
fi
echo "$TO"
