package tui

import (
	"strings"
	"time"
	"unicode/utf8"

	"till/protocol"
	"till/tui/register"
)

// ReportText is a report in the words of a locale, as lines of a width: what
// `till report` prints is what stands on the screen and on paper.
func ReportText(r protocol.Report, locale string, zone *time.Location, name func(id string) string, width int) string {
	s := language(locale).style(zone)
	var b strings.Builder
	b.WriteString(register.ReportTitle(r, s) + "\n")
	for _, row := range register.ReportRows(r, s, name) {
		if row.Rule {
			b.WriteString(strings.Repeat("-", width) + "\n")
			continue
		}
		gap := max(1, width-utf8.RuneCountInString(row.Left)-utf8.RuneCountInString(row.Right))
		b.WriteString(strings.TrimRight(row.Left+strings.Repeat(" ", gap)+row.Right, " ") + "\n")
	}
	return b.String()
}
