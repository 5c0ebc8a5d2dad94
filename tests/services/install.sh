#!/bin/sh
# Installs the real services that the tests run against, the browser that the gallery is tested in, a clock that lies,
# and the font that the samples are drawn with, from Debian's packages, unless they are there.
set -eu

missing=""
for package in rabbitmq-server ceph-mon ceph-osd radosgw chromium faketime; do
    command -v "$package" >/dev/null 2>&1 || [ -x "/usr/sbin/$package" ] || missing="$missing $package"
done
[ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] || missing="$missing fonts-noto-color-emoji"
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || {
    echo "The tests need$missing, and this is no Debian: install them by hand, then run again." >&2
    exit 1
}
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "The tests need$missing: run 'apt-get install$missing' as root, then run again." >&2
        exit 1
    }
    as_root="sudo"
fi
echo "Installing$missing for the tests (about two minutes)…"
# The tests start private nodes of their own, so nothing may start by itself: exit code 101 says so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod +x "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
