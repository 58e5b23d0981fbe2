#!/bin/sh
# Runs the fuzzers of a build that was made with -Dfuzz=enabled:
#
#     test/fuzz/run.sh [-t SECONDS] [-u SECONDS] [-j JOBS] [-s SEED] BUILD [TARGET...]
#
# For -t seconds each (60), JOBS at a time (the number of processors); an input that takes -u seconds (25) is a finding. Corpora, logs and what was found stay in BUILD/fuzz/TARGET/; what
# was found goes to test/fuzz/found/TARGET/ when it is mended. The last line for each target is its seed and how far it came.
set -u
seconds=60 slow=25 jobs=$(getconf _NPROCESSORS_ONLN) seed=$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')
while getopts t:u:j:s: option; do
    case $option in
    t) seconds=$OPTARG ;;
    u) slow=$OPTARG ;;
    j) jobs=$OPTARG ;;
    s) seed=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
found=$(cd "$(dirname "$0")" && pwd)/found
[ $# -ge 1 ] || {
    sed -n '4p' "$0" >&2
    exit 2
}
build=$(cd "$1" && pwd) || exit 1
shift

# One target, which xargs runs.
if [ "${FUZZ_ONE:-}" ]; then
    target=$1 dir=$build/fuzz/$1
    mkdir -p "$dir/corpus" && rm -rf "$dir/seeds" && cd "$dir" || exit 1
    "$build/test/fuzz/fuzz_$target" --seeds "$dir" || exit 1
    set -- corpus seeds
    [ ! -d "$found/$target" ] || set -- "$@" "$found/$target"
    # Memory: what hostile input may cost; a single allocation of more is a fault too. An input that takes seconds is one. A compressed
    # archive may ask for a window of up to 1 GiB (libarchive's limit for xz), which costs nothing until it is filled.
    case $target in archive) greedy=1100 ;; *) greedy=64 ;; esac
    ASAN_OPTIONS=detect_leaks=1 "$build/test/fuzz/fuzz_$target" -seed="$seed" -max_total_time="$seconds" -timeout="$slow" \
        -rss_limit_mb=1024 -malloc_limit_mb=$greedy -max_len=16384 -dict=dictionary -print_final_stats=1 -verbosity=1 \
        "$@" >log 2>&1
    status=$?
    far=$(sed -n 's/.*cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 edges, \2 features, \3 inputs kept/p' log | tail -n 1)
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' log)
    echo "$target: seed $seed, ${runs:-?} runs, ${far:-?}"
    [ $status -eq 0 ] && exit 0
    grep -v '^#[0-9]*	' log | tail -n 50
    echo "$target: FOUND something, which is in $dir"
    exit 1
fi

[ $# -gt 0 ] || {
    for file in "$build"/test/fuzz/fuzz_*; do
        [ -f "$file" ] && [ -x "$file" ] && set -- "$@" "${file##*/fuzz_}"
    done
}
FUZZ_DIRECTORY=$(mktemp -d "$([ -d /dev/shm ] && echo /dev/shm || echo /var/tmp)/jailadmin-fuzz.XXXXXX") || exit 1
export FUZZ_DIRECTORY
trap 'rm -rf "$FUZZ_DIRECTORY"' EXIT
trap 'exit 1' INT TERM
printf '%s\n' "$@" | FUZZ_ONE=1 xargs -P "$jobs" -n 1 "$0" -t "$seconds" -u "$slow" -s "$seed" "$build"
