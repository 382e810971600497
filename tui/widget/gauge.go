package widget

// Gauge is a bar of w cells of which done of all is filled, at least one cell
// when anything is done and never all before everything is.
func Gauge(w int, r Role, done, all int64) Line {
	if w <= 0 {
		return nil
	}
	n := 0
	switch {
	case all <= 0 || done <= 0:
	case done >= all:
		n = w
	default:
		n = max(1, min(w-1, share(w, done, all)))
	}
	filled, rest := rule("━", n), rule("─", w-n)
	filled.role = r
	return Line{filled, rest}
}

// share is w·done/all without overflow, for 0 < done < all.
func share(w int, done, all int64) int {
	for all > 1<<40 {
		done, all = done>>1, all>>1
	}
	return int(int64(w) * done / all)
}

// Countdown is what is left of a time: the words for it, then a gauge in what
// remains of w (from 8 cells).
func Countdown(w int, label, left string, rest, all int64) Line {
	line := Line{Quiet.Say(label), Text.blank(1), Text.Say(left)}
	if label == "" {
		line = Line{Text.Say(left)}
	}
	if room := w - line.Width() - 2; room >= 8 {
		role := Accent
		if all > 0 && rest*5 < all {
			role = Warn
		}
		line = append(line, Text.blank(2))
		line = append(line, Gauge(min(room, 24), role, rest, all)...)
	}
	return line.Fit(w)
}
