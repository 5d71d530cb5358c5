#!/bin/sh
# Puts the plugin's binary in place: a bundled one as it is, else built from these sources with cargo.
set -eu

folder=${HELM_PLUGIN_DIR:-$(cd "$(dirname "$0")" && pwd)}
binary=$folder/bin/substra-mtls
version=$(sed -n 's/^version: "\(.*\)"$/\1/p' "$folder/plugin.yaml")

fail() {
  printf '%s\n' "substra-mtls is not installed: $1" \
    "  take it out again with: helm plugin uninstall substra-mtls" \
    "  then $2, and run helm plugin install again" >&2
  exit 1
}

if [ -x "$binary" ] && [ "$("$binary" --version 2>/dev/null)" = "substra-mtls $version" ]; then
  echo "substra-mtls $version is there already"
  exit 0
fi

command -v cargo >/dev/null 2>&1 || fail "there is no binary in $folder/bin, and cargo is not on PATH to build one" "install Rust (rustup.rs)"
[ -f "$folder/Cargo.toml" ] || fail "there is neither a binary nor the sources in $folder" "install from a checkout of the sources"

echo "building substra-mtls $version with cargo; this takes some minutes"
cargo build --release --locked --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target" ||
  fail "cargo build failed" "mend what it names"
mkdir -p "$folder/bin"
# Beside its place first, since a running binary cannot be written over.
cp "$folder/target/release/substra-mtls" "$binary.new"
mv "$binary.new" "$binary"
echo "substra-mtls $version is installed"
