# plot.awk: a chart of lines as SVG, readable on light and on dark paper.
#
#   awk -v title=T -v xlabel=X -v ylabel=Y [-v logarithmic=1] -f plot.awk FILE
#
# With `logarithmic` the upright axis goes by powers of ten.
# Each line of FILE is "SERIES<tab>x<tab>y"; points of a series are joined in their order.
BEGIN {
    FS = "\t"
    width = 720; height = 360; left = 70; right = 170; top = 40; bottom = 50
}
NF == 3 {
    if (!($1 in count))
        name[++series] = $1
    k = ++count[$1]
    x[$1, k] = $2; y[$1, k] = $3
    if ($2 > xmost) xmost = $2
    if ($3 > ymost) ymost = $3
    if (!(yleast > 0) || $3 < yleast) yleast = $3
}
# The next of 1, 2, 5, 10, ... that divides `most` into at most `parts` steps.
function step_of(most, parts,   step) {
    for (step = 1; step * 10 * parts > most && step > 1e-6; step /= 10);
    for (; ; step *= 10) {
        if (step * parts >= most) return step
        if (step * 2 * parts >= most) return step * 2
        if (step * 5 * parts >= most) return step * 5
    }
}
function at_x(v) { return left + v / xtop * (width - left - right) }
function part(v) { return logarithmic ? log(v / ybottom) / log(ytop / ybottom) : v / ytop }
function at_y(v) { return height - bottom - part(v) * (height - top - bottom) }
function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); return text }
# Paper, text, lines of the grid, and series, within `begin`.
function colours(begin, paper, ink, grid, series,   each, i, n) {
    printf "%s.paper { fill: %s } text { fill: %s } .grid { stroke: %s } .axis { stroke: %s }", begin, paper, ink, grid, ink
    n = split(series, each, " ")
    for (i = 1; i <= n; i++) printf " .s%d { stroke: %s } .f%d { fill: %s }", i, each[i], i, each[i]
    print begin ? " }" : ""
}
END {
    if (xmost <= 0) xmost = 1
    if (ymost <= 0) ymost = 1
    xstep = step_of(xmost, 10); ystep = step_of(ymost, 6)
    xtop = xstep * int((xmost + xstep * 0.999) / xstep); ytop = ystep * int((ymost + ystep * 0.999) / ystep)
    if (logarithmic) {
        for (ybottom = 1; ybottom > yleast; ybottom /= 10);
        for (; ybottom * 10 <= yleast; ybottom *= 10);
        for (ytop = ybottom; ytop < ymost; ytop *= 10);
    }
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n",
        width, height, width, height, escaped(title)
    print "<style>"
    # Without variables, which some readers of SVG do not know.
    colours("", "#ffffff", "#1f2328", "#d8dee4", "#0550ae #bc4c00 #1a7f37 #8250df #9a6700 #bf3989")
    colours("@media (prefers-color-scheme: dark) { ", "#0d1117", "#e6edf3", "#30363d", "#79c0ff #ffa657 #7ee787 #d2a8ff #e3b341 #ff9bce")
    print "text { font: 12px sans-serif } .title { font-size: 14px; font-weight: bold } .line { fill: none; stroke-width: 2 }"
    print "</style>"
    print "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>"
    printf "<text class=\"title\" x=\"%d\" y=\"22\">%s</text>\n", left, escaped(title)
    for (v = logarithmic ? ybottom : 0; v <= ytop + (logarithmic ? 0 : ystep / 2); v = logarithmic ? v * 10 : v + ystep) {
        printf "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", (v > ybottom ? "grid" : "axis"), left, width - right, at_y(v), at_y(v)
        printf "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", left - 8, at_y(v) + 4, v
    }
    for (v = 0; v <= xtop + xstep / 2; v += xstep)
        printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", at_x(v), height - bottom + 18, v
    printf "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", left, left, top, height - bottom
    printf "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (left + width - right) / 2, height - 12, escaped(xlabel)
    printf "<text x=\"18\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 18 %d)\">%s</text>\n",
        (top + height - bottom) / 2, (top + height - bottom) / 2, escaped(ylabel)
    for (s = 1; s <= series; s++) {
        colour = (s - 1) % 6 + 1
        points = ""
        for (k = 1; k <= count[name[s]]; k++)
            points = points sprintf("%.1f,%.1f ", at_x(x[name[s], k]), at_y(y[name[s], k]))
        printf "<polyline class=\"line s%d\"%s points=\"%s\"/>\n", colour, name[s] ~ /LXC/ ? " stroke-dasharray=\"6 3\"" : "", points
        for (k = 1; k <= count[name[s]]; k++)
            printf "<circle class=\"f%d\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"/>", colour, at_x(x[name[s], k]), at_y(y[name[s], k])
        printf "\n<line class=\"line s%d\"%s x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/><text x=\"%d\" y=\"%d\">%s</text>\n", colour,
            name[s] ~ /LXC/ ? " stroke-dasharray=\"6 3\"" : "", width - right + 12, width - right + 36, top + s * 20, top + s * 20,
            width - right + 42, top + s * 20 + 4, escaped(name[s])
    }
    print "</svg>"
}
