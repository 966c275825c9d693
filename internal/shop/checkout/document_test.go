package checkout_test

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// unheard is what a provider says of a payment that it has never heard of.
const unheard = payment.State("unknown")

// refunded is how the document names money that was captured, and all of it refunded.
const refunded = payment.State("refunded")

// situations are the rows of the table in docs/PAYMENTS.md: in which of them the hold is over, and what happens before
// the provider says anything.
var situations = map[string]struct {
	ended bool
	play  func(*scene)
}{
	"held":                               {false, func(*scene) {}},
	"expired, one is available":          {true, func(*scene) {}},
	"expired, none is available":         {true, (*scene).taken},
	"expired, the buyer is at the limit": {true, (*scene).limited},
	"expired, the drop is archived":      {true, (*scene).archived},
	"cancelled":                          {false, (*scene).cancelled},
	"claimed":                            {false, (*scene).claimed},
	"claimed, and released since":        {false, func(s *scene) { s.claimed(); s.released() }},
	"expired, another one claimed":       {true, (*scene).claimed},
	"expired, another one claimed, and released since":   {true, func(s *scene) { s.claimed(); s.released() }},
	"claimed by another payment of the same reservation": {false, (*scene).claimedByAnother},
	"sold": {false, (*scene).paid},
}

// limited lets the buyer buy another pair, and there is one more.
func (s *scene) limited() {
	s.Helper()
	if _, err := s.engine.Restock(s.Context(), s.id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
		s.Fatal(err)
	}
	s.unpaid = s.buys(buyer)
}

// released ends the claim, as its time does.
func (s *scene) released() {
	s.Helper()
	claim := s.reservation(s.payment.Reservation).Claim
	if _, err := s.engine.ReleaseClaim(s.Context(), drop.ReleaseClaim{Reservation: claim, Payment: s.payment.ID}); err != nil {
		s.Fatal(err)
	}
}

// claimedByAnother lets a second payment of the same reservation claim the pair.
func (s *scene) claimedByAnother() {
	s.Helper()
	second, err := s.store.NextPayments(s.Context())
	if err == nil {
		_, err = s.engine.ClaimUnit(s.Context(), drop.ClaimUnit{Reservation: s.payment.Reservation, User: buyer, Payment: second, Within: time.Hour})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// paid sells the pair to the buyer.
func (s *scene) paid() {
	s.Helper()
	s.provider.says(payment.Authorised)
	if p, err := s.service.Step(s.Context(), s.payment.ID); err != nil || p.Purchase == 0 {
		s.Fatalf("%+v, %v", p, err)
	}
}

// unit says what has become of the buyer's pair, in the words of the document.
func (s *scene) unit(p *drop.Payment) string {
	s.Helper()
	r := s.reservation(p.Reservation)
	held := r.Status == drop.Active && r.Payment == p.ID
	if r.Claim != 0 && r.Payment == p.ID {
		held = s.reservation(r.Claim).Status == drop.Active
	}
	is, err := s.store.Drop(s.Context(), s.id)
	switch {
	case err != nil:
		s.Fatal(err)
	case p.Purchase != 0:
		return "sold"
	case held:
		return "held"
	case is.Drop.Stock().Available > 0:
		return "available"
	}
	return "another's"
}

// Read makes the teller one that sends notifications: each is about its payment, and says nothing.
func (p *teller) Read(http.Header, []byte, time.Time) (payment.Notice, error) {
	return payment.Notice{Refs: []payment.Ref{{ID: p.price.ID}}}, nil
}

// The table of docs/PAYMENTS.md: what becomes of the payment, the money and the pair, for each state that the pair can
// be in, and whatever the provider says. A notification that comes three times has its effect once.
func TestTable_EachCell(t *testing.T) {
	document, err := os.ReadFile("../../../docs/PAYMENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rows := table(t, string(document), "| The unit |")
	says := []payment.State{unheard, payment.Open, payment.Pending, payment.Authorised, payment.Captured, payment.Voided, payment.Failed}
	if want := append([]string{"The unit"}, words(says)...); !slices.Equal(head, want) {
		t.Fatalf("the table has the columns %q, want %q", head, want)
	}
	moneyOf := states(t, string(document))
	left := maps.Clone(situations)
	for _, row := range rows {
		if _, known := left[row[0]]; !known {
			t.Errorf("the table has the row %q, which is no situation or is there twice", row[0])
		}
		delete(left, row[0])
	}
	for name := range left {
		t.Errorf("the table has no row %q", name)
	}
	stores.Each(t, func(t *testing.T, st store.Store) {
		var begun []*scene // all holds end at the same time
		for _, row := range rows {
			for range says {
				begun = append(begun, begin(t, st, situations[row[0]].ended))
			}
		}
		for i, s := range begun {
			row, column := rows[i/len(says)], i%len(says)
			t.Run(row[0]+": "+string(says[column]), func(t *testing.T) {
				s.T = t
				if situations[row[0]].ended {
					s.ends()
				}
				situations[row[0]].play(s)
				s.becomes(says[column], row[column+1], moneyOf)
			})
		}
	})
}

// becomes checks one cell: the provider says something, and that is what follows.
func (s *scene) becomes(say payment.State, want string, moneyOf map[string]string) {
	s.Helper()
	s.provider.says(say)
	for range 3 {
		if err := s.service.Notify(s.Context(), nil, nil); err != nil {
			s.Fatal(err)
		}
		_, err := s.service.Step(s.Context(), s.payment.ID)
		if person := strings.HasSuffix(want, ", *person*"); (err != nil) != person {
			s.Fatalf("error: %v, want one: %t", err, person)
		}
	}
	p, _, err := s.store.Payment(s.Context(), s.payment.ID)
	if err != nil {
		s.Fatal(err)
	}
	found := s.provider.state()
	money := found.State
	if found.Refunded != 0 && found.Refunded == found.Amount {
		money = refunded
	}
	got := p.State + ", " + s.unit(&p)
	unsettled := p.State == drop.PaymentOpen || p.State == drop.PaymentPending || p.State == drop.PaymentClaimed
	switch {
	case p.Tries > 0:
		got += ", *person*"
		unsettled = true
	case !strings.Contains(moneyOf[p.State], "`"+string(money)+"`"):
		s.Errorf("payment %s, and the money is %s; the document has %s", p.State, money, moneyOf[p.State])
	}
	if got != want || p.Unsettled != unsettled {
		s.Errorf("%s, want %s: %+v; the provider has %+v", got, want, p, found)
	}
	s.sound(p)
}

// table returns the cells of the table whose head begins with that text.
func table(t *testing.T, document, begins string) (head []string, rows [][]string) {
	t.Helper()
	_, after, found := strings.Cut(document, "\n"+begins)
	if !found {
		t.Fatalf("docs/PAYMENTS.md has no table that begins with %s", begins)
	}
	for line := range strings.Lines(begins + after) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			t.Fatalf("row %d has %d cells: %q", i, len(row), row)
		}
	}
	if len(rows) < 3 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	return rows[0], rows[2:]
}

// states returns what the document says about the money, by the states of a payment. It names each state.
func states(t *testing.T, document string) map[string]string {
	t.Helper()
	_, rows := table(t, document, "| State |")
	of := make(map[string]string)
	for _, row := range rows {
		of[strings.Trim(row[0], "`")] = row[2]
	}
	all := []string{drop.PaymentOpen, drop.PaymentPending, drop.PaymentClaimed, drop.PaymentCaptured, drop.PaymentVoided, drop.PaymentRefunded, drop.PaymentFailed}
	if have := slices.Sorted(maps.Keys(of)); !slices.Equal(have, slices.Sorted(slices.Values(all))) {
		t.Fatalf("docs/PAYMENTS.md has the states %q", have)
	}
	return of
}

func words(all []payment.State) (names []string) {
	for _, s := range all {
		names = append(names, string(s))
	}
	return names
}
