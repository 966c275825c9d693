package importer

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

// noUser is the buyer of orders without a user. Sequelize empties an order's user when the user is deleted. The
// original also accepts orders of users that it never stored, and does not record which.
const noUser = drop.FirstAllocatedUser

// holdMillis is the original's hold of 60 seconds, for rows that do not say when they began.
const holdMillis = 60_000

// books turns the source's rows into our own. The report lists everything that it leaves out or changes. Problems
// that it cannot decide, such as a negative price, stop the import.
type books struct {
	now     drop.Time
	money   drop.Currency
	report  Report
	stops   []error
	known   map[drop.UserID]bool
	unnamed map[drop.UserID]bool // users of orders that are not in the users' table
	nobody  bool                 // whether there is an order without a user
}

func newBooks(now drop.Time, currency drop.Currency) *books {
	return &books{
		now: now, money: currency, report: Report{Repairs: make(map[Repair]*Finding)},
		known: make(map[drop.UserID]bool), unnamed: make(map[drop.UserID]bool),
	}
}

func (b *books) stopf(format string, args ...any) {
	b.stops = append(b.stops, fmt.Errorf(format, args...))
}

// convert turns the source's rows into users and drops.
func (b *books) convert(src *source) ([]drop.User, []store.Filled, error) {
	users := b.users(src.users)
	orders := make(map[int64]*orders, len(src.drops))
	for i := range src.drops {
		orders[src.drops[i].id] = newOrders(b)
	}
	b.sort(src, orders)
	filled := make([]store.Filled, 0, len(src.drops))
	for i := range src.drops {
		d := &src.drops[i]
		if f, ok := b.drop(d, orders[d.id]); ok {
			filled = append(filled, f)
		}
	}
	if b.nobody {
		users = append(users, drop.User{ID: noUser, Username: drop.UnknownUsername})
	}
	b.report.Drops, b.report.Users = len(filled), len(users)
	if n := len(b.stops); n > 0 {
		const most = 10
		err := errors.Join(b.stops[:min(n, most)]...)
		if n > most {
			err = errors.Join(err, fmt.Errorf("and %d more", n-most))
		}
		return nil, nil, &SourceError{fmt.Errorf("correct these rows first; nothing was imported: %w", err)}
	}
	return users, filled, nil
}

// sort assigns each order to its drop.
func (b *books) sort(src *source, drops map[int64]*orders) {
	for i := range src.reservations {
		r := &src.reservations[i]
		if o := find(drops, r.drop); o != nil {
			o.addReservation(r)
		} else {
			b.report.addf(OrphanOrder, "%d", r.id)
		}
	}
	for i := range src.purchases {
		p := &src.purchases[i]
		if o := find(drops, p.drop); o != nil {
			o.addPurchase(p)
		} else {
			b.report.addf(OrphanPurchase, "%d", p.id)
		}
	}
}

func find(drops map[int64]*orders, id *int64) *orders {
	if id == nil {
		return nil
	}
	return drops[*id]
}

func (b *books) users(rows []sourceUser) []drop.User {
	emails, bare := make(map[string]bool), map[string]bool{drop.UnknownUsername: true}
	users := make([]drop.User, 0, len(rows))
	for i := range rows {
		row := &rows[i]
		u := drop.User{ID: drop.UserID(row.id), Email: drop.NormalEmail(value(row.email))}
		if given := strings.TrimSpace(value(row.email)) != ""; given && u.Email == "" || emails[u.Email] {
			b.report.addf(EmailLeftOut, "%d", row.id)
			u.Email = ""
		}
		name, fit := tidy(value(row.name), drop.MaxUsername, text.Tidy)
		if name == "" {
			local, _, _ := strings.Cut(u.Email, "@")
			name = text.Tidy(local, drop.MaxUsername)
		}
		u.Username = name
		if u.ID < 1 || u.ID >= drop.FirstAllocatedUser || name == "" || u.Email == "" && bare[name] {
			b.report.addf(UserLeftOut, "%d", row.id)
			continue
		}
		if !fit {
			b.report.addf(TextCut, "user %d", row.id)
		}
		b.known[u.ID] = true
		if u.Email == "" {
			bare[name] = true
		} else {
			emails[u.Email] = true
		}
		users = append(users, u)
	}
	return users
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// tidy makes a text fit our rules, and reports whether it already did. White space around it does not count.
func tidy(s string, most int, form func(string, int) string) (tidied string, fit bool) {
	tidied = form(s, most)
	return tidied, tidied != "" && tidied == strings.TrimSpace(s)
}

// buyer returns the user of an order.
func (b *books) buyer(id *int64, kind string, row int64) drop.UserID {
	switch {
	case id == nil:
		b.nobody = true
		b.report.addf(NoUser, "%s %d", kind, row)
		return noUser
	case *id < 1 || *id >= int64(drop.FirstAllocatedUser):
		b.stopf("%s %d belongs to user %d, but users are numbered from 1 to %d", kind, row, *id, drop.FirstAllocatedUser-1)
		return noUser
	}
	user := drop.UserID(*id)
	if !b.known[user] && !b.unnamed[user] {
		b.unnamed[user] = true
		b.report.addf(UnknownUserOrder, "%d", user)
	}
	return user
}

// drop makes one drop with all its rows. Its ledger begins at the import, with one batch that creates the stock and
// repeats what had been moved before.
func (b *books) drop(row *sourceDrop, o *orders) (store.Filled, bool) {
	spec, ok := b.spec(row)
	if !ok {
		return store.Filled{}, false
	}
	changes := &drop.Changes{Sizes: []int{0}}
	o.write(drop.ID(row.id), spec.Price, changes)
	moved := make(map[drop.Reason]int64)
	for _, r := range changes.Made {
		moved[drop.Reserved]++
		switch r.Status {
		case drop.Active:
		case drop.Completed:
			moved[drop.Purchased]++
		case drop.Expired:
			moved[drop.ReservationExpired]++
		case drop.Cancelled:
			moved[drop.ReservationCancelled]++
		}
	}
	sold := moved[drop.Purchased]
	held := moved[drop.Reserved] - sold - moved[drop.ReservationExpired] - moved[drop.ReservationCancelled]
	total := b.total(row, held, sold, o.over)
	state := &drop.State{
		Drop: drop.Drop{
			ID:        drop.ID(row.id),
			Version:   1,
			CreatedAt: b.now,
			Settings: drop.Settings{
				Name: spec.Name, Price: spec.Price, StartTime: spec.StartTime, ImageURL: spec.ImageURL,
				OfferFor: drop.DefaultOfferFor, MaxWaiting: drop.DefaultMaxWaiting,
			},
		},
		LastAt: b.now, Reserved: uint32(len(changes.Made)), Purchased: uint32(len(changes.Purchases)),
	}
	if row.created != nil {
		state.CreatedAt = min(*row.created, b.now)
	}
	_, _ = rand.Read(state.Batch[:]) // crypto/rand.Read never fails
	moved[drop.Created] = total
	var stock drop.Stock
	for _, reason := range []drop.Reason{
		drop.Created, drop.ReservationExpired, drop.ReservationCancelled, drop.Reserved, drop.Purchased,
	} {
		units := moved[reason]
		if units == 0 && reason != drop.Created {
			continue
		}
		if err := stock.Post(reason, units); err != nil {
			panic(err) // cannot happen: the reasons are constants above
		}
		state.Seq++
		changes.Ledger = append(changes.Ledger, drop.LedgerEntry{
			Seq: state.Seq, Batch: state.Batch, At: b.now, Reason: reason, Units: units, Available: stock.Available, Version: 1,
		})
	}
	state.Sizes = []drop.Size{{Stock: stock}}
	changes.Revision = drop.NewRevision(state)
	b.report.Reservations += len(changes.Made)
	b.report.Live += int(held)
	b.report.Purchases += len(changes.Purchases)
	return store.Filled{State: state, Changes: changes}, true
}

// total returns the drop's stock, which is at least what is held and sold. It compares the source's own count of what
// is left with the rows, by the source's rules. There, a hold past its end still counts; over is the number of those.
func (b *books) total(row *sourceDrop, held, sold, over int64) int64 {
	total := *row.total
	left := total - held - over - sold
	if row.available != nil && *row.available != left {
		off := *row.available - left
		word := "too many"
		if off < 0 {
			off, word = -off, "too few"
		}
		b.report.addf(StockWrong, "%d (available_stock was %d: %d %s)", row.id, *row.available, off, word)
	}
	if taken := held + sold; taken > total {
		b.report.addf(Oversold, "%d (by %d, from %d to %d)", row.id, taken-total, total, taken)
		return taken
	}
	return total
}

// spec checks a drop against our rules, and corrects what only affects its appearance.
func (b *books) spec(row *sourceDrop) (drop.Spec, bool) {
	if row.id < 1 || row.id > int64(drop.MaxID) {
		b.stopf("drop %d: drops are numbered from 1 to %d", row.id, drop.MaxID)
		return drop.Spec{}, false
	}
	if row.price == nil || row.total == nil || row.start == nil {
		b.stopf("drop %d must have a price, a total_stock and a start_time", row.id)
		return drop.Spec{}, false
	}
	price, exact, ok := money(*row.price, b.money.Decimals)
	if !ok {
		b.stopf("drop %d has the price %s, which is not an amount", row.id, *row.price)
		return drop.Spec{}, false
	}
	if !exact {
		b.report.addf(PriceRounded, "%d (%s to %s)", row.id, *row.price, price)
	}
	name, fit := tidy(value(row.name), drop.MaxName, text.TidyTitle)
	if name == "" {
		name = fmt.Sprintf("Drop %d", row.id)
	}
	if !fit {
		b.report.addf(TextCut, "drop %d", row.id)
	}
	spec := drop.Spec{Name: name, Price: price, StartTime: *row.start, ImageURL: value(row.image), TotalStock: row.total}
	err := spec.Check()
	if refusal, ok := errors.AsType[*drop.Error](err); ok && refusal.Field == "image_url" {
		b.report.addf(ImageLeftOut, "%d", row.id)
		spec.ImageURL = ""
		err = spec.Check()
	}
	if refusal, ok := errors.AsType[*drop.Error](err); ok {
		b.stopf("drop %d: %s %s", row.id, refusal.Field, refusal.Rule)
		return drop.Spec{}, false
	}
	return spec, true
}

// money reads a decimal number and rounds it to the given decimals, halves away from zero.
func money(s string, decimals int) (m drop.Money, exact, ok bool) {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, false, false
	}
	rounded, ok := new(big.Rat).SetString(r.FloatString(decimals))
	if !ok {
		return 0, false, false
	}
	fine := new(big.Rat).Mul(rounded, big.NewRat(10_000, 1)).Num()
	if !fine.IsInt64() {
		return 0, false, false
	}
	return drop.MoneyOf(fine.Int64()), rounded.Cmp(r) == 0, true
}

// inOrder sorts by time, then by number.
func inOrder(at, other drop.Time, id, otherID int64) int {
	return cmp.Or(cmp.Compare(at, other), cmp.Compare(id, otherID))
}
