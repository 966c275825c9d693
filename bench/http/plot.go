package main

import (
	"bytes"
	"fmt"
	"math"
)

// The drawing: two panels beside each other, in SVG's units.
const (
	panelWidth, panelHeight = 360.0, 240.0
	margin                  = 56.0
)

// plot draws accepted a second, and p99, against what was offered.
func plot(points []point) []byte {
	var b bytes.Buffer
	width, height := 2*(panelWidth+2*margin), panelHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">`+"\n", width, height)
	b.WriteString(`<title>Throughput and p99 of reserve against offered load</title><rect width="100%" height="100%" fill="white"/>` + "\n")
	offered := 0.0
	for _, p := range points {
		offered = max(offered, p.Offered)
	}
	draw(&b, margin, "accepted a second", points, offered, func(p point) float64 { return p.Accepted })
	draw(&b, panelWidth+3*margin, "p99, ms", points, offered, func(p point) float64 { return p.P99 })
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func draw(b *bytes.Buffer, left float64, title string, points []point, offered float64, of func(point) float64) {
	most := 0.0
	for _, p := range points {
		most = max(most, of(p))
	}
	top, right := nice(most), nice(offered)
	x := func(v float64) float64 { return left + v/right*panelWidth }
	y := func(v float64) float64 { return margin + panelHeight - v/top*panelHeight }
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-weight="bold">%s</text>`+"\n", left, margin-20, title)
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%g</text>`+"\n", left, y(v), panelWidth, left-6, y(v)+4, v)
		u := right * float64(i) / 4
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%g</text>`+"\n", x(u), margin+panelHeight+18, u)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">offered a second</text>`+"\n", left+panelWidth/2, margin+panelHeight+38)
	b.WriteString(`<polyline fill="none" stroke="#0a6" stroke-width="2" points="`)
	for _, p := range points {
		fmt.Fprintf(b, "%.1f,%.1f ", x(p.Offered), y(of(p)))
	}
	b.WriteString(`"/>` + "\n")
	for _, p := range points {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="#0a6"/>`+"\n", x(p.Offered), y(of(p)))
	}
}

// nice is the end of an axis: 1, 2, 4 or 8 times a power of ten, at least v.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 4, 8} {
		if step*power >= v {
			return step * power
		}
	}
	return 10 * power
}
