#!/usr/bin/env bash
# Processor time of `cargo-whittle explain FILE` against `cargo treemap --artifact FILE --format json`.
#
#   benches/compare-treemap.sh FILE...
#
# Both programs run in turn, ROUNDS times after one round that does not count, so that a machine that slows down slows
# both. Printed per file: the median of user + system time of each, their ratio, and each one's peak memory, which
# needs GNU time (Debian: apt-get install time). A time never makes the script fail; a program that fails does.
#
# Set by the environment:
#   WHITTLE       our program      [the release build of this repository]
#   WHITTLE_ARGS  more arguments for it, separated by blanks      [none]
#   TREEMAP       the other one    [cargo-treemap on the path: cargo install --locked cargo-treemap]
#   ROUNDS        measured rounds  [11]
set -euo pipefail

if [ "$#" -eq 0 ]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
whittle=${WHITTLE:-${CARGO_TARGET_DIR:-$root/target}/release/cargo-whittle}
treemap=${TREEMAP:-cargo-treemap}
rounds=${ROUNDS:-11}
read -r -a whittle_args <<<"${WHITTLE_ARGS:-}"
for program in "$whittle" "$treemap"; do
    if ! command -v "$program" >/dev/null; then
        echo "error: no such program: \`$program\`" >&2
        exit 2
    fi
done
gnu_time=
if [ -x /usr/bin/time ] && /usr/bin/time -f %M true 2>/dev/null; then
    gnu_time=/usr/bin/time
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run_whittle() { "$@" "$whittle" explain "$file" ${whittle_args[@]+"${whittle_args[@]}"} >/dev/null 2>"$scratch/errors"; }
run_treemap() { "$@" "$treemap" treemap --artifact "$file" --format json >/dev/null 2>"$scratch/errors"; }

# Stops with what the program had to say.
failed() {
    echo "error: $1 failed on \`$file\`:" >&2
    cat "$scratch/errors" >&2
    exit 1
}

# User + system time of one run in milliseconds. `time` of bash counts the children it waits for.
milliseconds() {
    local TIMEFORMAT='%U %S'
    { time "$1"; } 2>"$scratch/time" || failed "$1"
    awk '{ printf "%.0f\n", ($1 + $2) * 1000 }' "$scratch/time"
}

median() {
    sort -n | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

# Peak memory of one run in MB.
peak() {
    if [ -z "$gnu_time" ]; then
        echo "-"
        return
    fi
    "$1" "$gnu_time" -o "$scratch/peak" -f %M || failed "$1"
    awk '{ printf "%.0f\n", $1 / 1024 }' "$scratch/peak"
}

[ -n "$gnu_time" ] || echo "note: GNU time is not installed, so peak memory is not measured" >&2
printf '%-32s %10s %12s %12s %7s %12s %12s\n' file MB "ours, ms" "treemap, ms" ratio "ours, MB" "treemap, MB"
for file in "$@"; do
    : >"$scratch/ours"
    : >"$scratch/theirs"
    for ((round = 0; round <= rounds; round++)); do
        ours=$(milliseconds run_whittle)
        theirs=$(milliseconds run_treemap)
        if [ "$round" -gt 0 ]; then
            echo "$ours" >>"$scratch/ours"
            echo "$theirs" >>"$scratch/theirs"
        fi
    done
    ours=$(median <"$scratch/ours")
    theirs=$(median <"$scratch/theirs")
    size=$(wc -c <"$file" | awk '{ printf "%.1f", $1 / 1000000 }')
    ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }')
    our_peak=$(peak run_whittle)
    their_peak=$(peak run_treemap)
    printf '%-32s %10s %12s %12s %7s %12s %12s\n' \
        "$(basename "$file")" "$size" "$ours" "$theirs" "$ratio" "$our_peak" "$their_peak"
done
