package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
)

// manner is how a buyer behaves.
type manner int

const (
	plain manner = iota
	doubleClicking
	cutOff
	fickle     // releases the unit
	abandoning // never pays
	manners
)

// share is the number of each out of 100 buyers.
var share = [manners]int{plain: 60, doubleClicking: 15, cutOff: 10, fickle: 5, abandoning: 10}

// impatient is how many out of 100 buyers of each manner arrive before the drop starts and keep pressing the button.
const impatient = 20

const (
	rush      = 3 * time.Second // buyers arrive within this time after the start
	early     = time.Second     // at most this long before the start
	asksAgain = 150 * time.Millisecond
	thinks    = 2 * time.Second // at most this long before paying
	hopes     = 4               // tries of a buyer who was too late
)

type buyer struct {
	*play

	number int64
	manner manner
	random *rand.Rand
	wish   string // the body of the reserve, and of the call that joins the waitlist
}

func newBuyer(p *play, number int64) *buyer {
	b := &buyer{play: p, number: number, random: rand.New(rand.NewPCG(p.Seed, uint64(number)))}
	n := b.random.IntN(100)
	for b.manner = plain; n >= share[b.manner]; b.manner++ {
		n -= share[b.manner]
	}
	return b
}

func (b *buyer) within(d time.Duration) time.Duration {
	return time.Duration(b.random.Int64N(int64(d)))
}

// act plays a buyer's way through the drop.
func (b *buyer) act(ctx context.Context) {
	arrives := b.within(rush)
	if b.random.IntN(100) < impatient {
		arrives = -b.within(early)
	}
	var held reservation
	if with := b.shows(b.number); with != nil {
		held = b.comeEarly(ctx, with)
	}
	late := false
	if held.ID == 0 {
		if sleep(ctx, time.Until(b.starts)+arrives) != nil {
			return
		}
		if held, late = b.reserve(ctx); held.ID != 0 && held.CreatedAt.Before(b.opens) {
			b.notes.faultf("reservation %d was made before the start, and without a code", held.ID)
		}
	}
	if late && b.original.Waitlist {
		b.join(ctx)
	}
	if held.ID == 0 || ctx.Err() != nil {
		return
	}
	if !b.notes.took(b.hold(&held)) {
		b.notes.faultf("reservation %d was given to two buyers", held.ID)
	}
	switch b.manner {
	case abandoning:
		return
	case fickle:
		if a := b.post(ctx, b.number, "/api/drops/cancel", reservationBody(held.ID), b.key("cancel")); b.notes.note(a) {
			b.notes.gaveBack(held.ID)
		}
		return
	case plain, doubleClicking, cutOff, manners:
	}
	b.thinkAndBuy(ctx, &held)
}

// thinkAndBuy pays after a moment.
func (b *buyer) thinkAndBuy(ctx context.Context, held *reservation) {
	if sleep(ctx, min(b.within(thinks), b.hold(held).length/3)) == nil {
		b.buy(ctx, held.ID)
	}
}

// hold returns what the notes keep of a reservation of the buyer's.
func (b *buyer) hold(r *reservation) hold {
	return hold{id: r.ID, buyer: b.number, ends: r.ExpiresAt, length: r.ExpiresAt.Sub(r.CreatedAt)}
}

type reservation struct {
	ID        drop.ReservationID `json:"id"`
	Status    string             `json:"status"`
	ExpiresAt time.Time          `json:"expires_at"`
	CreatedAt time.Time          `json:"createdAt"`
}

type purchased struct {
	Purchase struct {
		ID drop.PurchaseID `json:"id"`
	} `json:"purchase"`
}

func reservationBody(id drop.ReservationID) string { return fmt.Sprintf(`{"reservationId":%d}`, id) }

func (b *buyer) key(of string) string {
	return fmt.Sprintf("rehearsal-%x-%d-%s", b.Seed, b.number, of)
}

// firstBuyer is the first number of the buyers if nobody signs in. These are the last of the shop's own numbers,
// which a shop is unlikely to use.
const firstBuyer = int64(drop.FirstAllocatedUser) - 1 - MaxBuyers

// wants decides which size the buyer asks for, with a code or nil.
func (b *buyer) wants(with *code) string {
	body := `{"dropId":` + strconv.FormatInt(int64(b.copied), 10)
	if b.Buyer == nil {
		body += `,"userId":` + strconv.FormatInt(firstBuyer+b.number, 10)
	}
	if with != nil {
		body += `,"code":` + quoted(with.text)
	}
	if with != nil && len(with.sizes) > 0 {
		return body + `,"size":` + quoted(with.sizes[b.random.IntN(len(with.sizes))]) + "}"
	}
	if n := len(b.original.Sizes); n > 0 {
		body += `,"size":` + quoted(b.original.Sizes[b.random.IntN(n)].Size)
	}
	return body + "}"
}

// reserve presses the button until there is an answer that the buyer accepts. late says that nothing is left.
func (b *buyer) reserve(ctx context.Context) (got reservation, late bool) {
	b.wish = b.wants(nil)
	for try := 1; ; try++ {
		a := b.click(ctx, "/api/drops/reserve", b.wish, b.key("reserve-"+strconv.Itoa(try)))
		late = a.code == string(drop.CodeOutOfStock) || a.code == string(drop.CodeWaitlist)
		switch {
		case ctx.Err() != nil || a.err != nil:
			return got, false
		case a.status == http.StatusOK:
			if json.Unmarshal(a.body, &got) != nil || got.ID == 0 {
				b.notes.faultf("an answer to a reserve is not a reservation: %s", a.body)
			}
			return got, false
		case a.code == string(drop.CodeNotStarted), a.code == string(drop.CodeCodeRequired):
			if sleep(ctx, asksAgain) != nil {
				return got, false
			}
		case late && b.original.Waitlist, try >= hopes, !late && !a.mayPass():
			return got, late
		default:
			if sleep(ctx, asksAgain+b.within(time.Second)) != nil {
				return got, false
			}
		}
	}
}

// quoted returns s as a JSON string.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot happen: every string can be encoded
	}
	return string(b)
}

// click sends what one press of a button sends, in the buyer's manner: once, twice, or again after the connection was
// cut. All of it has one key, and therefore one outcome.
func (b *buyer) click(ctx context.Context, path, body, key string) answer {
	switch b.manner {
	case doubleClicking:
		var answers [2]answer
		var both sync.WaitGroup
		for i := range answers {
			both.Go(func() { answers[i] = b.post(ctx, b.number, path, body, key) })
		}
		both.Wait()
		b.notes.time(path, answers[0])
		b.notes.note(answers[1])
		first, second := answers[0], answers[1]
		if first.status == http.StatusOK && second.status == http.StatusOK && string(first.body) != string(second.body) {
			b.notes.faultf("one click on %s got two answers: %s and %s", path, first.body, second.body)
		}
		if first.status != http.StatusOK && second.status == http.StatusOK {
			return second
		}
		return first
	case cutOff:
		short, cancel := context.WithTimeout(ctx, b.within(20*time.Millisecond))
		_ = b.post(short, b.number, path, body, key) // whatever its outcome
		cancel()
	case plain, fickle, abandoning, manners:
	}
	a := b.post(ctx, b.number, path, body, key)
	b.notes.time(path, a)
	return a
}

// buy pays, and keeps asking while the outcome is unknown.
func (b *buyer) buy(ctx context.Context, id drop.ReservationID) {
	const tries = 5
	for try := 1; try <= tries && ctx.Err() == nil; try++ {
		a := b.click(ctx, "/api/drops/purchase", reservationBody(id), b.key("purchase"))
		if a.status == http.StatusOK {
			var got purchased
			if json.Unmarshal(a.body, &got) != nil || got.Purchase.ID == 0 {
				b.notes.faultf("an answer to a purchase is not a purchase: %s", a.body)
				return
			}
			b.notes.bought(id, got.Purchase.ID)
			return
		}
		if a.err == nil && !a.mayPass() {
			b.notes.couldNotPay(a.code)
			return
		}
		if sleep(ctx, asksAgain) != nil {
			return
		}
	}
}
