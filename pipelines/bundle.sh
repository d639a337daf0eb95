#!/bin/sh
# bundle.sh FOLDER [PLUGIN]: completes a folder that has bin/ and tests/: libraries, plug-in, tests' files, data, launcher.
set -eu
folder=$1
plugin=${2:-}
mkdir -p "$folder/lib/sj" "$folder/share/sj" "$folder/tests/data" "$folder/tests/bench"

rm -f "$folder/lib/sj/libsj-cuda.so"
if [ -n "$plugin" ]; then
    cp "$plugin" "$folder/lib/sj/"
    strip --strip-unneeded "$folder/lib/sj/$(basename "$plugin")"
fi

# What stays with the machine: its C and C++ runtime, the driver and the CUDA libraries.
of_the_machine='^(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|anl|mvec|stdc\+\+|gcc_s)|libcu.*|libnv.*)\.so'
find "$folder/bin" "$folder/tests" "$folder/lib/sj" -type f \( -perm -u+x -o -name '*.so' \) -exec ldd {} + 2>/dev/null |
    awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u | while read -r name path; do
    if ! echo "$name" | grep -Eq "$of_the_machine"; then
        case $path in "$folder"/* | "$PWD/$folder"/*) continue ;; esac
        cp -L "$path" "$folder/lib/$name"
        chmod 755 "$folder/lib/$name"
        strip --strip-unneeded "$folder/lib/$name"
    fi
done

cp -R schemas "$folder/share/sj/"
rm -rf "$folder/share/sj/classes" "$folder/share/sj/schemas/render"
mv "$folder/share/sj/schemas/classes" "$folder/share/sj/"
mkdir -p "$folder/share/sj/pages"
cp pipelines/pages/* "$folder/share/sj/pages/"
cp LICENSE "$folder/share/sj/"
cp tests/tap.sh tests/*-cuda.sh tests/device-report.sh "$folder/tests/"
cp tests/data/small.h5 "$folder/tests/data/"
cp tests/bench/*.py tests/bench/table-cuda.tsv "$folder/tests/bench/"
cp pipelines/bundle-run.sh "$folder/run"
chmod 755 "$folder/run"
git rev-parse --short HEAD >"$folder/share/sj/commit" 2>/dev/null || echo unknown >"$folder/share/sj/commit"
