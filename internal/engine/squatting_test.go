package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

const (
	squattedUnits = 100
	squatters     = 1000
	honestBuyers  = 200
	// boundUnderDefence is when the attacking accounts can no longer hold all units. With one free unpaid hold each,
	// an account can start a hold at 0, 120, 420, 1,440 and 5,340 s. (A hold takes 60 s, and the waits are 60, 240,
	// 960 and 3,840 s.) Within 2,400 s the accounts together have at most 1,000 × 4 holds. That is how often 100
	// units can be held for 60 s in that time.
	boundUnderDefence = 2400 * time.Second
)

// siege is a drop whose available units always go first to accounts that never pay, as long as the rules allow it.
type siege struct {
	t      *testing.T
	engine *engine.Engine
	id     drop.ID
	early  time.Duration // how long before its end a hold is cancelled; 0 lets it expire
	ready  [squatters]time.Time
	held   []drop.Reservation
	bought int
	buyer  [honestBuyers]bool
}

func newSiege(t *testing.T, maxExpired int, early time.Duration) *siege {
	t.Helper()
	e := engine.New(memory.New(stores.Now), engine.Config{Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	units := int64(squattedUnits)
	v, err := e.Create(t.Context(), drop.Spec{
		Name: "Comet", StartTime: drop.TimeOf(time.Now()), TotalStock: &units, LimitPerUser: 1, MaxExpiredHolds: maxExpired,
	}, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	return &siege{t: t, engine: e, id: v.Drop.ID, early: early}
}

// reserve takes one unit for a user, or returns when the user may try again (zero if the refusal is not about the
// user).
func (s *siege) reserve(user drop.UserID) (got bool, again time.Time) {
	r, err := s.engine.Reserve(s.t.Context(), s.id, user, "", engine.Retry{})
	switch drop.CodeOf(err) {
	case "":
		if err != nil {
			s.t.Fatal(err)
		}
		s.held = append(s.held, r)
		return true, r.ExpiresAt.Time()
	case drop.CodeCooldown:
		return false, err.(*drop.Error).RetryAt.Time() //nolint:errorlint,forcetypeassert // its code says so
	case drop.CodeOutOfStock:
		return false, time.Time{}
	default:
		s.t.Fatal(err)
		return false, time.Time{}
	}
}

func (s *siege) available() int64 {
	v, err := s.engine.View(s.t.Context(), s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	stock := v.Drop.Stock()
	return stock.Available
}

// second serves the available units, first to the accounts that never pay and then to the honest buyers.
func (s *siege) second() {
	for i := range s.ready {
		if s.available() == 0 {
			break
		}
		if time.Now().Before(s.ready[i]) {
			continue
		}
		if _, again := s.reserve(drop.UserID(1 + i)); !again.IsZero() {
			s.ready[i] = again
		}
	}
	for i := range s.buyer {
		if s.buyer[i] || s.available() == 0 {
			continue
		}
		if got, _ := s.reserve(drop.UserID(1 + squatters + i)); got {
			r := s.held[len(s.held)-1]
			s.held = s.held[:len(s.held)-1]
			if _, err := s.engine.Purchase(s.t.Context(), r.ID, 0, engine.Retry{}); err != nil {
				s.t.Fatal(err)
			}
			s.buyer[i] = true
			s.bought++
		}
	}
	s.giveBack()
}

// giveBack cancels the holds that are about to end, so that they do not expire.
func (s *siege) giveBack() {
	kept := s.held[:0]
	for _, r := range s.held {
		if s.early == 0 || time.Until(r.ExpiresAt.Time()) > s.early {
			kept = append(kept, r)
			continue
		}
		if _, err := s.engine.Cancel(s.t.Context(), r.ID, 0, engine.Retry{}); err != nil {
			s.t.Fatal(err)
		}
		s.ready[r.UserID-1] = time.Now()
	}
	s.held = kept
}

func (s *siege) run(limit time.Duration) time.Duration {
	began := time.Now()
	for s.bought < squattedUnits && time.Since(began) < limit {
		s.second()
		time.Sleep(time.Second)
		synctest.Wait()
	}
	if err := s.engine.Stop(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	return time.Since(began)
}

func TestSquatting_EveryUnitReachesAnHonestBuyer(t *testing.T) {
	for name, early := range map[string]time.Duration{"holds expire": 0, "holds are given back": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSiege(t, 1, early)
				took := s.run(2 * boundUnderDefence)
				t.Logf("%d units reached honest buyers within %s", s.bought, took)
				if s.bought != squattedUnits || took > boundUnderDefence {
					t.Errorf("want %d within %s", squattedUnits, boundUnderDefence)
				}
			})
		})
	}
}

func TestSquatting_WithoutTheDefenceNoneDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSiege(t, 0, 0)
		if s.run(2 * boundUnderDefence); s.bought != 0 {
			t.Errorf("%d units reached honest buyers: the attack shows nothing", s.bought)
		}
	})
}

// With a waitlist nobody needs a rule about unpaid holds: an account that does not pay has one turn, and then waits
// behind everybody else. So a buyer who joins at place n has a turn after as many offers as units fit into n, each of
// which lasts offer_for at most.
func TestSquatting_WithAWaitlistEveryTurnComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const offerFor = 60 * time.Second
		bound := time.Duration((squatters+honestBuyers+squattedUnits-1)/squattedUnits) * offerFor
		e := engine.New(memory.New(stores.Now), engine.Config{Hold: offerFor, Log: slog.New(slog.DiscardHandler)})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Stop(context.Background()) }()
		units := int64(squattedUnits)
		v, err := e.Create(t.Context(), drop.Spec{
			Name: "Comet", StartTime: drop.TimeOf(time.Now()), TotalStock: &units, LimitPerUser: 1, Waitlist: true, OfferFor: int(offerFor.Seconds()),
		}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id, began := v.Drop.ID, time.Now()
		for user := range drop.UserID(squatters + honestBuyers) { // the accounts that never pay come first
			if _, err := e.Join(t.Context(), id, user+1, "", engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		bought := make(map[drop.UserID]bool)
		for len(bought) < squattedUnits && time.Since(began) <= bound {
			time.Sleep(time.Second)
			synctest.Wait()
			line, err := e.Line(t.Context(), id, 0, 100*squatters)
			if err != nil {
				t.Fatal(err)
			}
			newest := make(map[drop.UserID]drop.Entry)
			for _, entry := range line {
				newest[entry.UserID] = entry
			}
			for user, entry := range newest {
				switch {
				case entry.Status != drop.Offered || bought[user]:
				case user > squatters:
					if _, err := e.Purchase(t.Context(), entry.Offer, user, engine.Retry{}); err != nil {
						t.Fatal(err)
					}
					bought[user] = true
				case time.Since(entry.EndedAt.Time()) > offerFor: // the turn is over: at the end of the line again
					if _, err := e.Join(t.Context(), id, user, "", engine.Retry{}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		t.Logf("%d units reached honest buyers within %s", len(bought), time.Since(began))
		if took := time.Since(began); len(bought) != squattedUnits || took > bound {
			t.Errorf("want %d within %s", squattedUnits, bound)
		}
	})
}
