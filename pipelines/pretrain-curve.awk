# pretrain-curve.awk LOG.ndjson: the log of sj-train as a table: losses and speed of every interval, and the ranks where it
# was validated.
function value(name,    s) {
    if (!match($0, "\"" name "\":[-+0-9.eE]+")) return "-"
    s = substr($0, RSTART, RLENGTH)
    sub(/.*:/, "", s)
    return s
}
BEGIN {
    OFS = "\t"
    print "step", "loss", "contrastive", "first", "rate", "target_std", "samples_per_s", "R@1_percent", "R@10_percent",
        "mean_rank_percent"
}
/"validation"/ {
    print value("step"), "-", "-", "-", "-", "-", "-", 100 * value("recall_1"), 100 * value("recall_10"),
        100 * value("mean_rank")
    next
}
/"step"/ {
    print value("step"), value("loss"), value("contrastive"), value("first"), value("rate"), value("target_std"),
        value("samples_per_s"), "-", "-", "-"
}
