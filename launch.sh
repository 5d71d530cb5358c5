#!/bin/sh
# What Helm runs: hands over to the binary, and explains where that cannot work.
# The good way starts no process, only builtins, so that it costs a millisecond.

here=${HELM_PLUGIN_DIR:-$(cd "$(dirname "$0")" && pwd)}
binary=$here/bin/substra-mtls

# The second line of plugin.yaml is the version; the kernel tells its machine in a file, from Linux 6.1 on.
{ read -r _ && read -r _ version; } <"$here/plugin.yaml"
version=${version#\"}
version=${version%\"}
checked='' machine=''
[ ! -r "$here/bin/checked" ] || read -r checked machine <"$here/bin/checked"
[ ! -r /proc/sys/kernel/arch ] || read -r machine_here </proc/sys/kernel/arch

# The installer writes `bin/checked` after it ran the binary on this kind of machine. Without that it looks now:
# a shell that is told to exec a foreign or damaged file would read it as a script.
if [ "$checked" != "$version" ] || [ "${machine_here:-$machine}" != "$machine" ] || [ ! -x "$binary" ]; then
  HELM_PLUGIN_DIR=$here sh "$here/install-binary.sh" check || exit 1
fi
exec "$binary" "$@"
