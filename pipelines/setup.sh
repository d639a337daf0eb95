#!/bin/sh
# setup.sh GROUP...: installs the Debian packages that are missing for the groups named: build, demo, paper, test, lint,
# bench. As root or with sudo it installs; otherwise it prints the one line to run and exits 1. Says nothing when all is there.
set -eu

packages() {
    case $1 in
    build) echo gcc libc6-dev make pkg-config libdnnl-dev libhdf5-dev libfftw3-dev libsndfile1-dev libmpg123-dev libsoxr-dev libjansson-dev libaubio-dev libfluidsynth-dev libxmp-dev ;;
    demo) echo parallel gnuplot-nox ;;
    paper) echo parallel gnuplot-nox librsvg2-bin ffmpeg fluidsynth fluid-soundfont-gm ;;
    test) echo g++ ffmpeg parallel rsync gnuplot-nox perl mandoc python3 python3-numpy python3-h5py python3-torch python3-sklearn chromium chromium-driver python3-selenium ;;
    lint) echo mandoc shellcheck cppcheck ;;
    bench) echo python3 python3-venv ;;
    *) echo "setup.sh: no group '$1'" >&2; exit 2 ;;
    esac
}

missing=
for group in "$@"; do
    list=$(packages "$group")
    for p in $list; do
        dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed && continue
        case " $missing " in *" $p "*) ;; *) missing="$missing $p" ;; esac
    done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup.sh: these packages (Debian's names) are missing and there is no apt-get to install them:$missing" >&2
    exit 1
fi
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
if [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; then
    echo "setup.sh: packages are missing; as root, run:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # the list is meant to be split
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup.sh: apt-get failed" >&2
    exit 1
fi
