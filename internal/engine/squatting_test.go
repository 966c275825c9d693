package engine_test

import (
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
	// boundUnderDefence: with one free unpaid hold each, an account can hold from 0 s, 120 s, 420 s, 1,440 s and
	// 5,340 s on (60 s of hold, then a wait of 60, 240, 960, 3,840 s), so that within 2,400 s the accounts together
	// have at most 1,000 × 4 holds, which is what 100 units can be held for 60 s in that time. No later than then
	// they have run out.
	boundUnderDefence = 2400 * time.Second
)

// siege is a drop whose every unit on sale goes to accounts that never pay first, as long as the rules let one have it.
type siege struct {
	t      *testing.T
	engine *engine.Engine
	id     drop.ID
	early  time.Duration // before a hold's end at which it is given back; 0: it is left to expire
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

// reserve takes one unit for a user, or says when it may be tried again (zero: not because of the user).
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

// second lets first the accounts that never pay and then the honest buyers have what is on sale.
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

// giveBack ends the holds that are about to end, so that they do not expire.
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
