#!/bin/sh
# Puts the plugin's binary into bin/, of exactly the version in plugin.yaml. docs/install.md tells from where, and why
# in this order. `install-binary.sh check` only tells whether the binary that is there can be used: launch.sh asks.
set -eu

# The public place of releases: a folder v<version> for each, as `release` makes it. There is none yet.
releases=

folder=${HELM_PLUGIN_DIR:-$(cd "$(dirname "$0")" && pwd)}
bin=$folder/bin
version=$(sed -n 's/^version: "\(.*\)"$/\1/p' "$folder/plugin.yaml")
tmp=

# magic is how a program for this machine begins: the kernel knows it, so that no shell takes it for a script.
case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=linux-amd64 magic='7f454c4602*3e00' ;;
  Linux-aarch64) platform=linux-arm64 magic='7f454c4602*b700' ;;
  Darwin-x86_64) platform=darwin-amd64 magic='cffaedfe*' ;;
  Darwin-arm64) platform=darwin-arm64 magic='cffaedfe*' ;;
  *) platform=$(uname -s)-$(uname -m) magic='*' ;;
esac
top=substra-mtls-$platform
archive=$top-$version.tgz

trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

has() { command -v "$1" >/dev/null 2>&1; }

# quoted TEXT: as one word that can be pasted into a shell.
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# fail WHY NEXT: the plugin stays registered when its hook fails, so both ways on are told.
fail() {
  printf '%s\n' "error: substra-mtls $version is not installed" "  why: $1" "  next: $2" \
    "    the installer again: sh $(quoted "$folder/install-binary.sh")" \
    "    the plugin out again: helm plugin uninstall substra-mtls" >&2
  [ ! -e "$bin/substra-mtls" ] || echo "  unchanged: the binary in $bin" >&2
  exit 1
}

# usable FILE NAME: whether it runs here and is of this version; if not, $wrong says why.
usable() {
  wrong="$2 is not there"
  [ -f "$1" ] || return 1
  wrong="$2 is damaged, or of another platform than this one, $platform"
  # shellcheck disable=SC2254 # a pattern
  case $(od -An -tx1 -N20 "$1" | tr -d ' \n') in
    2321* | $magic) ;;
    *) return 1 ;;
  esac
  wrong="$2 does not run here"
  found=$("$1" --version 2>/dev/null </dev/null) || return 1
  wrong="$2 is \"$found\", and plugin.yaml wants $version"
  [ "$found" = "substra-mtls $version" ]
}

# Noted for launch.sh, which then need not look. Where the folder is read-only it looks each time.
note() { echo "$version $(uname -m)" 2>/dev/null >"$bin/checked" || true; }

# Work is done in bin/, which git ignores and from where a file moves over the old one in one step.
make_room() {
  mkdir -p "$bin" 2>/dev/null || fail "$bin cannot be made" "make $folder writable for $(id -un)"
  tmp=$(mktemp -d "$bin/new.XXXXXX" 2>/dev/null) || fail "$bin cannot be written" "make it writable for $(id -un)"
}

# put FILE FROM: a running binary cannot be written over, but it can be moved over.
put() {
  chmod 755 "$1"
  usable "$1" "$2" || fail "$wrong" "get the one for $platform, version $version"
  mv -f "$1" "$bin/substra-mtls" || fail "$bin/substra-mtls cannot be replaced" "make it writable for $(id -un)"
  note
  echo "substra-mtls $version is installed, from $2"
}

# fetch URL FILE: https alone, redirects too; wget cannot be told so, and gets a proxy for plain http that is none.
# BusyBox has a wget as well, which looks at no certificate.
fetch() {
  if has curl; then
    curl --proto '=https' --tlsv1.2 --fail --location --silent --show-error --retry 3 --connect-timeout 20 \
      --output "$2" "$1"
  elif has wget && wget --version 2>/dev/null | grep -q '^GNU Wget'; then
    wget --no-verbose --tries=3 --timeout=20 --execute=http_proxy=http://127.0.0.1:9 --output-document="$2" "$1"
  else
    echo "there is neither curl nor GNU wget on PATH"
    return 1
  fi
}

sha256() {
  if has sha256sum; then sha256sum <"$1"
  elif has shasum; then shasum -a 256 <"$1"
  elif has openssl; then openssl dgst -sha256 -r <"$1"
  else return 1; fi
}

# agree FILE SUMS: the file is the one that SHA256SUMS names.
agree() {
  want=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$archive\$/\1/p" "$2")
  [ -n "$want" ] || fail "SHA256SUMS does not name $archive" "ask who made the release"
  got=$(sha256 "$1") || fail "there is none of sha256sum, shasum and openssl to check $archive by" "install one of them"
  got=${got%% *}
  [ "$got" = "$want" ] ||
    fail "$archive is not what SHA256SUMS says: $got, and not $want" "fetch it again; if it stays so, do not use it"
}

unpack() {
  has tar || fail "there is no tar on PATH" "install tar and gzip"
  why=$(tar -xzf "$1" -C "$tmp" "$top/bin/substra-mtls" 2>&1) ||
    fail "$1 does not unpack to $top/bin/substra-mtls: $(echo "$why" | head -n 1)" "get $archive"
}

download() {
  case $1 in
    https://*) ;;
    *) fail "this is not an https:// address: $1" "set SUBSTRA_MTLS_BASE_URL to one" ;;
  esac
  make_room
  for name in SHA256SUMS "$archive"; do
    echo "fetching ${1%/}/v$version/$name"
    why=$(fetch "${1%/}/v$version/$name" "$tmp/$name" 2>&1) ||
      fail "$name did not come: $(echo "$why" | tr '\n' ' ')" "fix that, or name a mirror in SUBSTRA_MTLS_BASE_URL"
  done
  agree "$tmp/$archive" "$tmp/SHA256SUMS"
  unpack "$tmp/$archive"
  put "$tmp/$top/bin/substra-mtls" "$1"
}

local_archive() {
  [ -f "$1" ] || fail "SUBSTRA_MTLS_TGZ is not there: $1" "give the path of $archive"
  make_room
  sums=$(dirname "$1")/SHA256SUMS
  if [ -f "$sums" ]; then agree "$1" "$sums"; else echo "there is no SHA256SUMS beside $1 to check it by"; fi
  unpack "$1"
  put "$tmp/$top/bin/substra-mtls" "$1"
}

local_binary() {
  [ -f "$1" ] || fail "SUBSTRA_MTLS_BIN is not there: $1" "give the path of the binary"
  make_room
  cp "$1" "$tmp/substra-mtls" || fail "$1 cannot be copied" "fix that"
  put "$tmp/substra-mtls" "$1"
}

build() {
  make_room
  target=$folder/target
  # A copy that Helm made keeps no gigabyte of objects; a checkout that it links to does.
  [ -z "${HELM_PLUGIN_DIR:-}" ] || [ -L "$HELM_PLUGIN_DIR" ] || target=$tmp/target
  echo "building substra-mtls $version with cargo; this takes some minutes"
  cargo build --release --locked --manifest-path "$folder/Cargo.toml" --target-dir "$target" ||
    fail "cargo build failed" "fix what it names"
  cp "$target/release/substra-mtls" "$tmp/substra-mtls"
  put "$tmp/substra-mtls" "its sources"
}

# Helm loads no plugin at all, and removes none, while two folders claim a name.
refuse_duplicates() {
  claims=$(
    set -f
    IFS=:
    for place in "${HELM_PLUGIN_DIR%/*}" ${HELM_PLUGINS:-}; do
      (cd "$place" 2>/dev/null && pwd -P) || true
    done | sort -u | while read -r place; do
      set +f
      grep -l '^name: *"\{0,1\}substra-mtls"\{0,1\} *$' "$place"/*/plugin.yaml 2>/dev/null || true
    done
  )
  [ "$(printf '%s\n' "$claims" | wc -l)" -gt 1 ] || return 0
  printf '%s\n' "error: substra-mtls is installed twice" \
    "  why: Helm runs no plugin and removes none while two folders claim one name" \
    "  next: remove the one that you do not want:" >&2
  printf '%s\n' "$claims" | while read -r file; do echo "    rm -r $(quoted "${file%/plugin.yaml}")" >&2; done
  exit 1
}

if [ "${1:-}" = check ]; then
  usable "$bin/substra-mtls" "$bin/substra-mtls" || fail "$wrong" "let the installer put one there"
  note
  exit 0
fi

if [ -n "${HELM_PLUGIN_DIR:-}" ]; then
  refuse_duplicates
  case $HELM_PLUGIN_DIR in
    *[][*?\\]*) echo "note: Helm finds no plugin below a path with [ ] * ? or \\, as $HELM_PLUGIN_DIR has;" \
      "set HELM_DATA_HOME to a folder without them and install again" ;;
  esac
fi

if [ -n "${SUBSTRA_MTLS_BIN:-}" ]; then
  local_binary "$SUBSTRA_MTLS_BIN"
elif [ -n "${SUBSTRA_MTLS_TGZ:-}" ]; then
  local_archive "$SUBSTRA_MTLS_TGZ"
elif usable "$bin/substra-mtls" "$bin/substra-mtls"; then
  note
  echo "substra-mtls $version is there already"
elif [ -n "${SUBSTRA_MTLS_BASE_URL:-}" ]; then
  download "$SUBSTRA_MTLS_BASE_URL"
elif [ -f "$folder/Cargo.toml" ] && has cargo; then
  build
elif [ -n "$releases" ]; then
  download "$releases"
else
  fail "$wrong, there is no cargo to build it with, and this version has no public place of releases" \
    "install Rust (rustup.rs), or set SUBSTRA_MTLS_BASE_URL, SUBSTRA_MTLS_TGZ or SUBSTRA_MTLS_BIN (docs/install.md)"
fi
