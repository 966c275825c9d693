package importer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// draws makes rows from bytes: a fuzzer changes the rows by changing the bytes.
type draws struct{ rest []byte }

func (d *draws) n(below int) int {
	if len(d.rest) == 0 {
		return 0
	}
	n := int(d.rest[0]) % below
	d.rest = d.rest[1:]
	return n
}

func (d *draws) whole(values ...int64) *int64 {
	if i := d.n(len(values) + 1); i > 0 {
		return &values[i-1]
	}
	return nil
}

func (d *draws) time() *drop.Time {
	if at := d.whole(0, 1, 30_000, 59_999, 60_000, 60_001, 90_000, 200_000, -5, 1<<60); at != nil {
		return (*drop.Time)(at)
	}
	return nil
}

func (d *draws) text(values ...string) *string {
	switch i := d.n(len(values) + 2); i {
	case 0:
		return nil
	case 1:
		n := min(d.n(256), len(d.rest))
		text := string(d.rest[:n])
		d.rest = d.rest[n:]
		return &text
	default:
		return &values[i-2]
	}
}

func (d *draws) source() *source {
	var s source
	for i := range d.n(3) {
		s.drops = append(s.drops, sourceDrop{
			id: int64(i + 1 + 5*d.n(3)), name: d.text("Air", ""), image: d.text("/a.png", "https://x.example/a", "javascript:x"),
			price: d.text("119.99", "0", "0.005", "-1", "NaN", "99999999.995", "1e2"), total: d.whole(0, 1, 2, 5, -1, 1<<40), available: d.whole(0, 1, 5, -3),
			start: d.time(), created: d.time(),
		})
	}
	for i := range d.n(4) {
		s.users = append(s.users, sourceUser{id: int64(i) + *d.must(1, 1, 5, -3, 1<<40), name: d.text("ann", "bob", "Deleted user"), email: d.text("a@b.example", " A@B.example ", "no")})
	}
	for i := range d.n(12) {
		s.reservations = append(s.reservations, sourceReservation{
			id: int64(i + 1), user: d.whole(1, 2, 3, 0, 1<<40), drop: d.whole(1, 2, 9), status: d.text("active", "completed", "EXPIRED", "canceled"),
			created: d.time(), expires: d.time(), updated: d.time(),
		})
	}
	for i := range d.n(12) {
		s.purchases = append(s.purchases, sourcePurchase{
			id: int64(i + 1), user: d.whole(1, 2, 3), drop: d.whole(1, 2, 9), reservation: d.whole(1, 2, 3, 4, 99), created: d.time(),
		})
	}
	return &s
}

func (d *draws) must(values ...int64) *int64 { return &values[d.n(len(values))] }

// FuzzConvert: whatever the original's rows contain, the import either stops with a reason, or produces records that
// a store accepts and an audit finds clean.
func FuzzConvert(f *testing.F) {
	f.Add([]byte{})
	for seed := range 40 {
		rows := make([]byte, 200)
		for i := range rows {
			rows[i] = byte(i*i*(seed+3) + i*seed + seed)
		}
		f.Add(rows)
	}
	// One drop of 5 units, two users, a hold, a purchase of an expired hold, and a purchase of nothing.
	f.Add([]byte{
		1, 0, 2, 0, 2, 4, 0, 2, 2,
		2, 0, 2, 0, 0, 3, 0,
		2, 1, 1, 2, 2, 7, 7, 2, 1, 4, 2, 3, 3,
		2, 2, 1, 0, 3, 3, 1, 0, 3,
	})
	f.Fuzz(func(t *testing.T, rows []byte) {
		const now = 100_000
		src := (&draws{rows}).source()
		b := newBooks(now, drop.Currency{Code: "USD", Decimals: 2})
		users, drops, err := b.convert(src)
		if err != nil {
			if source, ok := errors.AsType[*SourceError](err); !ok || source.Error() == "" {
				t.Fatal(err)
			}
			return
		}
		s := memory.New(func() drop.Time { return now })
		if err := store.Fill(t.Context(), s, users, drops, false); err != nil {
			t.Fatalf("%s: %v", show(src), err)
		}
		report, err := audit.Run(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range report.Drops {
			if d.Differences > 0 {
				t.Errorf("%s: %v", show(src), d.Sentences)
			}
		}
	})
}

func show(s *source) string {
	var text strings.Builder
	for i := range s.drops {
		d := &s.drops[i]
		fmt.Fprintf(&text, "drop %d of %s at %s; ", d.id, of(d.total), of(d.price))
	}
	for i := range s.reservations {
		r := &s.reservations[i]
		fmt.Fprintf(&text, "reservation %d of %s by %s, %s, %s to %s, %s; ", r.id, of(r.drop), of(r.user), of(r.status), of(r.created), of(r.expires), of(r.updated))
	}
	for i := range s.purchases {
		p := &s.purchases[i]
		fmt.Fprintf(&text, "purchase %d of %s by %s, %s at %s; ", p.id, of(p.drop), of(p.user), of(p.reservation), of(p.created))
	}
	return text.String()
}

func of[T any](v *T) string {
	if v == nil {
		return "NULL"
	}
	return fmt.Sprintf("%#v", *v)
}
