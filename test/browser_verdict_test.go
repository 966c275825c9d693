package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// told is the page's text about a case.
type told struct {
	Drop    int64          `json:"drop"`
	Note    string         `json:"note"`
	Refused bool           `json:"refused"`
	Button  string         `json:"button"`
	Busy    bool           `json:"busy"`
	Holds   []int64        `json:"holds"`
	Bought  []int64        `json:"bought"`
	Rows    []string       `json:"rows"`
	Seen    []string       `json:"seen"`
	Heard   int            `json:"heard"` // how often screen readers were told about the purchase
	Left    map[string]int `json:"left"`  // of each hold, ms
	Tries   map[string]int `json:"tries"`
	Keys    map[string]int `json:"keys"`
}

// booked is a reservation in the server's records.
type booked struct {
	ID        int64  `json:"id"`
	DropID    int64  `json:"dropId"`
	Status    string `json:"status"`
	ExpiresAt string `json:"expires_at"`
}

func idsOf(there []booked, status string) (ids []int64) {
	for _, b := range there {
		if b.Status == status {
			ids = append(ids, b.ID)
		}
	}
	return sorted(ids)
}

func sorted(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}

func (r *round) books() map[int64][]booked {
	r.t.Helper()
	_, body := get(r.t, fmt.Sprintf("%s/api/users/%d/reservations?limit=200", r.s.behind(), 1<<40))
	var all []booked
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		r.t.Fatalf("%s: %v", body, err)
	}
	books := make(map[int64][]booked)
	for _, b := range all {
		books[b.DropID] = append(books[b.DropID], b)
	}
	return books
}

// words are the texts that explain the codes. Success and the end of a hold have texts too.
var words = map[string]string{
	"offline":               "No connection.",
	"timeout":               "didn't answer in time",
	"unreadable":            "answered instead",
	"overloaded":            "very busy right now. Your request didn't go through.",
	"unavailable":           "can't be reached right now. Your request didn't go through.",
	"outcome_unknown":       "couldn't confirm whether that went through",
	"in_flight":             "earlier click is still being processed",
	"not_started":           "This drop starts ",
	"answer_late":           "expired before its confirmation reached you",
	"reservation_cancelled": "already released this pair",
	"already_purchased":     "already purchased this pair",
	"over":                  "Time's up",
}

// says reports whether a text is one of those for the codes.
func says(text string, codes ...string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { return words[code] != "" && strings.Contains(text, words[code]) })
}

// verdict waits until each case has ended in an allowed way. Then it checks what the page said in between, and the
// store's records.
func (r *round) verdict() {
	r.t.Helper()
	ended := make(map[int64]outcome)
	r.await(func(tab int, m *mishap, seen told, there []booked) error {
		var faults []error
		for _, want := range m.want {
			if tab > 0 {
				want.code, want.bought = want.other, -1
			}
			err := want.differs(seen, there, m.limit)
			if err == nil {
				ended[m.Drop] = want
				return nil
			}
			faults = append(faults, fmt.Errorf("%s: %w", m.Name, err))
		}
		return errors.Join(faults...)
	})
	for i, p := range r.tabs {
		for _, seen := range eval[[]told](p, "failures.report()") {
			m := r.cases[seen.Drop]
			for _, text := range seen.Seen {
				if want := ended[m.Drop]; !says(text, want.mayShow...) && (want.over == 0 || !says(text, "over")) {
					r.t.Errorf("tab %d, %s: it showed %q, and may show %v; script %v", i+1, m.Name, text, want.mayShow, m.Faults)
				}
			}
			faults := []map[string][]spoil{m.Faults, m.other}[i]
			for call, planned := range faults {
				if seen.Tries[call] < len(planned) {
					r.t.Errorf("tab %d, %s: %d tries of %s, too few for the script %v", i+1, m.Name, seen.Tries[call], call, planned)
				}
				// One intent has one key. A press after an outage may be a new intent, like the one that follows "not
				// yet".
				if seen.Keys[call] != 1 && !m.Persist && m.start == past {
					r.t.Errorf("tab %d, %s: %d keys in %d tries of %s; script %v", i+1, m.Name, seen.Keys[call], seen.Tries[call], call, planned)
				}
			}
		}
		for _, wrong := range eval[[]string](p, "[...failures.wrong]") {
			r.t.Errorf("tab %d: %s", i+1, wrong)
		}
		r.heard(i, eval[[]string](p, "failures.said"), ended)
		p.quiet()
	}
	r.audit(ended)
}

// ruleOf is what a card says of the drop's limit where it has nothing to say of the buyer.
func ruleOf(limit int) string {
	switch limit {
	case 0:
		return ""
	case 1:
		return "1 pair per person"
	default:
		return fmt.Sprintf("%d pairs per person", limit)
	}
}

// differs returns how a case ended if that is not allowed.
func (o outcome) differs(seen told, there []booked, limit int) error {
	statuses := make([]string, 0, len(there))
	for _, b := range there {
		statuses = append(statuses, b.Status)
	}
	slices.Sort(statuses)
	if !slices.Equal(statuses, o.reservations) {
		return fmt.Errorf("the server has %v, want %v", statuses, o.reservations)
	}
	holds, bought := o.count("active"), o.count("completed")
	button := "Reserve"
	if holds+bought > 0 {
		button = "Reserve another"
	}
	switch {
	case o.code == "not_started":
		button = "Starts"
	case limit > 0 && holds+bought >= limit:
		button = ""
	}
	problems := slices.Clone(seen.Rows)
	slices.Sort(problems)
	held := make([]string, holds)
	if o.code != "" && holds > 0 {
		held[0] = words[o.code]
	}
	rows := slices.Concat(held, slices.Repeat([]string{"over"}, o.over))
	slices.Sort(rows)
	switch {
	case seen.Busy:
		return errors.New("it is busy")
	case len(seen.Holds) != holds || len(seen.Bought) != bought:
		return fmt.Errorf("it has %d holds and bought %d, want %d and %d", len(seen.Holds), len(seen.Bought), holds, bought)
	case !slices.EqualFunc(problems, rows, func(has, want string) bool { return has == want || want != "" && strings.Contains(has, want) }):
		return fmt.Errorf("the tray says %q, want %q", problems, rows)
	case o.code != "" && holds == 0 && (!seen.Refused || !says(seen.Note, o.code)):
		return fmt.Errorf("the note is %q, want the words for %s", seen.Note, o.code)
	case (o.code == "" || holds > 0) && seen.Refused:
		return fmt.Errorf("the note still is %q", seen.Note)
	case holds > 0 && !strings.HasPrefix(seen.Note, "Complete your purchase below"):
		return fmt.Errorf("the note is %q beside a hold", seen.Note)
	case holds == 0 && bought > 0 && seen.Note != "You purchased 1 pair.":
		return fmt.Errorf("the note is %q after a purchase", seen.Note)
	case holds+bought == 0 && o.code == "" && seen.Note != ruleOf(limit):
		return fmt.Errorf("the note is %q beside nothing, want %q", seen.Note, ruleOf(limit))
	case o.bought >= 0 && seen.Heard != o.bought || seen.Heard > 1:
		return fmt.Errorf("it said %d times that it was bought, want %d", seen.Heard, o.bought)
	case !labelled(seen.Button, button):
		return fmt.Errorf("the button says %q, want %q", seen.Button, button)
	}
	return nil
}

// labelled reports whether a button has the right label. That of an upcoming drop says when it starts, and that of a
// buyer who has reached the limit does not say to reserve.
func labelled(says, want string) bool {
	switch want {
	case "":
		return says != "Reserve" && says != "Reserve another"
	case "Starts":
		return strings.HasPrefix(says, want)
	default:
		return says == want
	}
}

// heard checks what the page told screen readers.
func (r *round) heard(tab int, said []string, ended map[int64]outcome) {
	r.t.Helper()
	var may []string
	over := make(map[string]bool)
	for drop, o := range ended {
		may = append(may, o.mayShow...)
		over[fmt.Sprintf("Time's up. %s went back on sale.", r.cases[drop].Name)] = o.over > 0
	}
	for _, text := range said {
		switch {
		case strings.HasPrefix(text, "It's yours! You purchased Case "): // counted already
		case over[text] || says(text, may...):
		case strings.HasPrefix(text, "Case ") && strings.Contains(text, " is reserved for you for ") || strings.HasPrefix(text, "You released Case "):
		case strings.HasPrefix(text, "Drop ") && strings.Contains(text, " is reserved for you for "): // pressed before the list had the buyer's name
		case text == "You're connected again." || strings.HasPrefix(text, "10 seconds left for Case "):
		default:
			r.t.Errorf("tab %d said %q", tab+1, text)
		}
	}
}

// audit checks that each effect is in the ledger once, that the units add up, and that an audit finds no
// discrepancies.
func (r *round) audit(ended map[int64]outcome) {
	r.t.Helper()
	for drop, o := range ended {
		_, body := get(r.t, fmt.Sprintf("%s/api/drops/%d/ledger", r.s.behind(), drop))
		var ledger struct {
			Entries []struct {
				Reason           string
				Units, Available int
			}
		}
		if err := json.Unmarshal([]byte(body), &ledger); err != nil {
			r.t.Fatalf("%s: %v", body, err)
		}
		units := make(map[string]int)
		for _, e := range ledger.Entries {
			units[e.Reason] += e.Units
		}
		available := ledger.Entries[len(ledger.Entries)-1].Available
		want := map[string]int{
			"created": 5, "reserved": len(o.reservations), "purchased": o.count("completed"),
			"reservation_cancelled": o.count("cancelled"), "reservation_expired": o.count("expired"),
		}
		for reason, n := range want {
			if units[reason] != n {
				r.t.Errorf("%s: %d units %s in the ledger, want %d: %s", r.cases[drop].Name, units[reason], reason, n, body)
			}
		}
		if left := 5 - o.count("active") - o.count("completed"); available != left {
			r.t.Errorf("%s: %d units are left, want %d: %s", r.cases[drop].Name, available, left, body)
		}
	}
	audit := exec.CommandContext(r.t.Context(), "sneakerdrop", "audit", "--database=sqlite:sneakerdrop.db")
	audit.Dir = r.s.dir
	if out, err := audit.CombinedOutput(); err != nil {
		r.t.Errorf("audit: %v\n%s", err, out)
	}
}
