# shapekit.sh: what the tests of traffic shaping share. To be read after kit.sh, or where `ja` is.
# shellcheck shell=sh

# measured JAIL DIRECTION FIELD [TIME]: one value, as shape --measure saw it.
measured() {
    ja --json shape "$1" --measure --time "${4:-4s}" | tr '{' '\n' |
        awk -v direction="\"direction\":\"$2\"" -v field="\"$3\":" '
            index($0, direction) { here = 1; next }
            /"direction"/ { here = 0 }
            here && /"packets"/ { sub(".*" field, ""); sub(/[,}].*/, ""); print }'
}
# near LEAST MOST COMMAND...: it prints a number between them; once more where the machine was busy with other things.
near() {
    least=$1 most=$2
    shift 2
    for _ in 1 2 3 4; do
        seen=$("$@")
        awk -v seen="$seen" -v least="$least" -v most="$most" 'BEGIN { exit !(seen != "" && seen >= least && seen <= most) }' &&
            return 0
        echo "$* is $seen, and should be $least to $most"
    done
    return 1
}
# within_rate JAIL DIRECTION BITS: what passes is within a tenth of it.
within_rate() { near $(($3 * 9 / 10)) $(($3 * 11 / 10)) measured "$1" "$2" rate; }
# queues INTERFACE: somebody gave it some.
queues() { tc qdisc show dev "$1" | grep -v noqueue; }
