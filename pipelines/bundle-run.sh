#!/bin/sh
# run PROGRAM [ARGUMENT...]: a program of this folder with the CUDA libraries of this machine, wherever they are installed.
#   ./run sj-embed --help      ./run check-cuda      ./run bench-cuda      ./run device-report
# The programs in bin/ also start by themselves where the loader finds the CUDA libraries.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }

# Libraries that came with a toolkit or with Python packages (nvidia-cublas, nvidia-cudnn): not known to the loader.
folders=
for d in /usr/local/cuda/lib64 /usr/local/cuda/lib $(python3 -c 'import glob, site, sys
for p in site.getsitepackages() + [p for p in sys.path if p.endswith("-packages")]:
    print(*glob.glob(p + "/nvidia/*/lib"))' 2>/dev/null); do
    case :$folders: in *":$d:"*) continue ;; esac
    [ ! -d "$d" ] || folders=$folders:$d
done
folders=${folders#:}
[ -z "$folders" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folders"
export BUILD="$here" PATH="$here/bin:$PATH"
[ ! -f "$here/lib/sj/libsj-cuda.so" ] || export SJ_CUDA_PLUGIN="${SJ_CUDA_PLUGIN:-$here/lib/sj/libsj-cuda.so}"

program=$1
shift
case $program in
check-cuda | bench-cuda | device-report)
    cd "$here"
    exec bash "tests/$program.sh" "$@"
    ;;
*) exec "$here/bin/$program" "$@" ;;
esac
