package main

import (
	"fmt"
	"strconv"
	"strings"
)

// table is one of Markdown.
type table struct{ strings.Builder }

func newTable(columns ...string) *table {
	t := new(table)
	t.row(columns...)
	fmt.Fprintf(t, "| ---%s |\n", strings.Repeat(" | --:", len(columns)-1))
	return t
}

func (t *table) row(cells ...string) { fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | ")) }

// short formats a number with at most three significant digits.
func short(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 0.095:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case v < 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v < 999.5:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	unit := 10.0
	for v/unit >= 999.5 {
		unit *= 10
	}
	digits := strconv.FormatInt(int64(v/unit+0.5)*int64(unit), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func seconds(v float64) string {
	if v < 0.995 {
		return short(v*1000) + " ms"
	}
	return short(v) + " s"
}
