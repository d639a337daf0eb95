#!/bin/sh
# hold.sh FOLDER PID: FOLDER is of the make PID alone as long as it runs. Prints why not, if another is at work there.
# Unfinished files of programs that were killed go.
set -eu
folder=$1 pid=$2
# A number is given to other processes later; a process that has ended may still be listed (Z).
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }
mkdir -p "$folder"
exec 9>>"$folder/.make"
flock 9
other='' at=''
read -r other at <"$folder/.make" || :
if [ -n "$at" ] && [ "$other" != "$pid" ] && [ "$(began "$other")" = "$at" ]; then
    echo "another run is at work in '$folder' (process $other)"
    exit 0
fi
echo "$pid $(began "$pid")" >"$folder/.make"
find "$folder" -type f -name '*.tmp??????' -delete
