#!/usr/bin/env bash
# What people run against Harbor's API at night: deletes the artifacts of a repository that were pushed before a moment, with all their tags.
# usage: cleanup.sh BASE PROJECT REPOSITORY BEFORE      BEFORE is anything that date(1) reads
# env: LOGIN (user:password); DRY_RUN=1 only tells
set -euo pipefail
base=$1 project=$2 repository=$3 before=$(date -d "$4" +%s)
page_size=2

ask() { curl -fsS -u "$LOGIN" "$@"; }

# A name with slashes is encoded twice, since many proxies decode once.
artifacts=$base/api/v2.0/projects/$project/repositories/$(jq -rn --arg name "$repository" '$name | @uri | @uri')/artifacts

# All names first: what is deleted later would move the pages.
tags=()
for ((page = 1; ; page++)); do
  list=$(ask "$artifacts?page=$page&page_size=$page_size&with_tag=true")
  mapfile -t -O "${#tags[@]}" tags < <(jq -r '.[].tags[]?.name' <<< "$list")
  [ "$(jq length <<< "$list")" = "$page_size" ] || break
done

for tag in "${tags[@]}"; do
  # Another tag of the same artifact may have taken it along.
  status=$(curl -sS -u "$LOGIN" -o /dev/null -w '%{http_code}' "$artifacts/$tag")
  [ "$status" != 404 ] || continue
  read -r digest pushed < <(ask "$artifacts/$tag" | jq -r '"\(.digest) \(.push_time)"')
  if [ "$(date -d "$pushed" +%s)" -lt "$before" ]; then
    echo "delete $tag $digest"
    [ -n "${DRY_RUN:-}" ] || ask -X DELETE "$artifacts/$digest"
  else
    echo "keep $tag $digest"
  fi
done
