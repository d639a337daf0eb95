# about.awk: sj-view's list of a model -> one line on what it is
BEGIN { FS = "\t" }
/^@/ { value[substr($1, 2)] = $2; gsub(/"/, "", value[substr($1, 2)]) }
END {
    steps = value["training"]
    if (match(steps, /[^-]steps\\*:[0-9]+/)) {
        steps = substr(steps, RSTART, RLENGTH)
        sub(/.*:/, "", steps)
        steps = steps " steps"
    }
    else steps = "training unknown"
    printf "%s: predictor %s, encoder %s wide and %s deep, %s, id %s\n", name, value["predictor"], value["dim"], value["depth"],
        steps, value["id"]
}
