package rehearse

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"sneakerdrop/internal/drop"
)

// Times are in milliseconds.
type Times struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Result is the result of a rehearsal.
type Result struct {
	Pass bool `json:"pass"`
	// Faults are the reasons why it failed.
	Faults []string `json:"faults"`

	Drop   drop.ID `json:"drop"`
	Copy   drop.ID `json:"copy"`
	Buyers int     `json:"buyers"`
	Seed   uint64  `json:"seed"`
	Units  int64   `json:"units"`
	Sold   int64   `json:"sold"`
	// Unpaid counts holds that expired or, if they last long, were released by the rehearsal. Returned counts those
	// that buyers released.
	Unpaid   int64 `json:"unpaid"`
	Returned int64 `json:"returned"`
	// SellOut is the time in milliseconds from the start until every unit was held or sold; 0 if some were left.
	SellOut  int64            `json:"sell_out"`
	Reserve  Times            `json:"reserve"`
	Purchase Times            `json:"purchase"`
	Return   Times            `json:"return"` // from a hold's end until its unit was available again
	Refused  map[string]int64 `json:"refused"`
	Errors   int64            `json:"errors"` // requests without an answer, except those that buyers cut
	Watchers int64            `json:"watchers"`
	// Payments reports that buyers of the server pay. Those of a rehearsal do not: they purchase, and nobody plays the
	// checkout.
	Payments bool `json:"payments"`
	// Draw reports that a draw decides who may buy the drop. The copy has none: buyers reserve.
	Draw bool `json:"draw"`
	// Waitlist is what became of those who waited, nil if the drop has no waitlist.
	Waitlist *Waitlist `json:"waitlist,omitzero"`
	// Early is what became of early access, nil if the drop has none.
	Early *EarlyAccess `json:"early,omitzero"`
	// Books lists what the audit has read.
	Books string        `json:"books"`
	Took  time.Duration `json:"-"`
}

// maxReturn is how soon after a hold's end its unit must be available again.
const maxReturn = time.Second

// conclude compares what buyers were told with the records, and says whether everything went well.
func (p *play) conclude(ctx context.Context) (*Result, error) {
	unpaid := p.notes.unpaid()
	copied, err := p.copyNow(ctx)
	if err != nil {
		return nil, err
	}
	ledger, err := p.list(ctx, "ledger")
	if err != nil {
		return nil, err
	}
	sales, err := p.list(ctx, "purchases")
	if err != nil {
		return nil, err
	}
	purchases := make(map[drop.PurchaseID]drop.ReservationID)
	back := 0 // sold units that an operator took back
	for _, s := range sales.Purchases {
		if purchases[s.ID] = s.ReservationID; s.Returned != "" {
			back++
		}
	}
	var audit struct {
		Clean         bool
		Reservations  int64
		Purchases     int64
		LedgerEntries int64 `json:"ledger_entries"`
		Sentences     []string
	}
	if err := p.callOperator(ctx, http.MethodGet, dropPath(p.copied)+"/audit", nil, &audit); err != nil {
		return nil, err
	}
	payments, err := p.takesPayments(ctx)
	if err != nil {
		return nil, err
	}
	var waited []waited
	if p.original.Waitlist {
		if waited, err = p.waited(ctx); err != nil {
			return nil, err
		}
	}
	accesses, err := p.accessesOf(ctx, p.copied)
	if err != nil {
		return nil, err
	}
	defer p.notes.lock()()
	n := &p.notes
	r := &Result{
		Drop: p.original.ID, Copy: p.copied, Buyers: p.Buyers, Seed: p.Seed, Units: copied.Total, Sold: copied.Sold,
		Unpaid: int64(len(unpaid)), Returned: n.returned, Refused: maps.Clone(n.refused), Errors: n.errors, Watchers: n.watching,
		Reserve: timesOf(n.times["/api/drops/reserve"]), Purchase: timesOf(n.times["/api/drops/purchase"]),
		Payments: payments, Draw: p.original.Draw != nil, Took: time.Since(p.began), Faults: append([]string{}, n.faults...),
		Books: fmt.Sprintf("%d reservations, %d purchases, %d ledger entries", audit.Reservations, audit.Purchases, audit.LedgerEntries),
	}
	r.SellOut = sellOut(ledger.Entries, p.soldFrom())
	r.Return = p.returns(r, ledger.Entries, unpaid)
	r.judge(n, p.MaxP99, purchases, back)
	if p.original.Waitlist {
		r.judgeLine(&n.line, waited, ledger.Entries, purchases)
	}
	if len(p.accesses) > 0 {
		r.judgeEarly(n, accesses, purchases, len(p.original.Sizes))
	}
	if held := copied.Held; held != 0 {
		r.addf("%d holds have not been released", held)
	}
	if !audit.Clean {
		r.Faults = append(r.Faults, audit.Sentences...)
	}
	r.Pass = len(r.Faults) == 0
	return r, nil
}

// soldFrom is when the sale to everybody began, if buyers came in early, and else zero.
func (p *play) soldFrom() time.Time {
	if len(p.accesses) == 0 {
		return time.Time{}
	}
	return p.opens
}

func (r *Result) addf(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// judge reports what is wrong in the notes. back counts the purchases whose units no longer count as sold.
func (r *Result) judge(n *notes, maxP99 time.Duration, purchases map[drop.PurchaseID]drop.ReservationID, back int) {
	for _, id := range slices.Sorted(maps.Keys(n.sold)) {
		if bought, kept := purchases[id]; !kept || bought != n.sold[id] {
			r.addf("purchase %d of reservation %d was acknowledged but is not in the records", id, n.sold[id])
		}
	}
	reservations := make(map[drop.ReservationID]bool, len(purchases))
	for id, reservation := range purchases {
		if reservations[reservation] {
			r.addf("reservation %d was sold twice, the second time as purchase %d", reservation, id)
		}
		reservations[reservation] = true
	}
	if r.Sold > r.Units || int64(len(purchases)-back) != r.Sold {
		r.addf("there were %d units, but %d count as sold and the records have %d purchases, of which %d came back", r.Units, r.Sold, len(purchases), back)
	}
	for _, code := range slices.Sorted(maps.Keys(n.unpaying)) {
		r.addf("%d buyers held a unit but could not pay for it: %s", n.unpaying[code], code)
	}
	if n.unserved > 0 || n.errors > 0 {
		r.addf("%d requests failed, and %d got no answer", n.unserved, n.errors)
	}
	if n.lost > 0 {
		r.addf("the server ended the connections of %d watchers", n.lost)
	}
	if p99 := time.Duration(r.Reserve.P99 * float64(time.Millisecond)); p99 > maxP99 {
		r.addf("1 of 100 reserves took longer than %s", p99.Round(time.Millisecond))
	}
	if late := r.Return.P99; late > float64(maxReturn.Milliseconds()) {
		r.addf("1 of 100 holds was released only %.0f ms after its end", late)
	}
}

type entry struct {
	Seq    drop.Seq
	At     time.Time
	Reason drop.Reason
	Size   *string
	Units  int64

	Available int64
}

// page is a page of the ledger or of the purchases.
type page struct {
	Entries   []entry
	Purchases []struct {
		ID            drop.PurchaseID
		ReservationID drop.ReservationID
		Returned      string // empty while the buyer has the unit
	}
	Next *int64
}

// list reads all pages of one of the copy's lists.
func (p *play) list(ctx context.Context, name string) (all page, err error) {
	for after := int64(0); ; {
		var got page
		if err := p.callOperator(ctx, http.MethodGet, fmt.Sprintf("%s/%s?limit=1000&after=%d", dropPath(p.copied), name, after), nil, &got); err != nil {
			return page{}, err
		}
		all.Entries, all.Purchases = append(all.Entries, got.Entries...), append(all.Purchases, got.Purchases...)
		if got.Next == nil {
			return all, nil
		}
		after = *got.Next
	}
}

// sellOut returns the time from first until no unit was available for the first time. If first is zero, it is the first
// reserve, which comes at the start.
func sellOut(entries []entry, first time.Time) int64 {
	available := make(map[string]int64)
	for i := range entries {
		e := &entries[i]
		size := ""
		if e.Size != nil {
			size = *e.Size
		}
		available[size] = e.Available
		if e.Reason != drop.Reserved {
			continue
		}
		if first.IsZero() {
			first = e.At
		}
		if slices.Max(slices.Collect(maps.Values(available))) == 0 {
			return max(1, e.At.Sub(first).Milliseconds())
		}
	}
	return 0
}

// returns compares when holds were released with when they ended. Both are in order, so the nth release belongs to
// the nth end.
func (p *play) returns(r *Result, entries []entry, unpaid []hold) Times {
	var back []time.Time
	for i := range entries {
		if entries[i].Reason == drop.ReservationExpired {
			back = append(back, slices.Repeat([]time.Time{entries[i].At}, int(entries[i].Units))...)
		}
	}
	if len(back) == 0 && (len(unpaid) == 0 || unpaid[0].length > p.MaxHold) {
		return Times{}
	}
	if len(back) != len(unpaid) {
		r.addf("%d holds were left unpaid, but %d have expired", len(unpaid), len(back))
		return Times{}
	}
	h := hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)
	for i, at := range back {
		_ = h.RecordValue(min(max(1, at.Sub(unpaid[i].ends).Microseconds()), int64(time.Hour/time.Microsecond))) // within its bounds
	}
	return timesOf(h)
}

func timesOf(h *hdrhistogram.Histogram) Times {
	if h == nil {
		return Times{}
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Times{Count: h.TotalCount(), P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max())}
}

// WriteTo implements io.WriterTo. It writes the result as text for people.
func (r *Result) WriteTo(w io.Writer) (int64, error) {
	verdict := "PASS"
	if !r.Pass {
		verdict = "FAIL"
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s  rehearsal of drop %d with %d buyers, in %s", verdict, r.Drop, r.Buyers, r.Took.Round(time.Second))
	taken := "not all were taken"
	if r.SellOut > 0 {
		taken = fmt.Sprintf("sold out in %d ms", r.SellOut)
	}
	line("  units       %d, %s; %d sold, %d holds left unpaid, %d released", r.Units, taken, r.Sold, r.Unpaid, r.Returned)
	line("  reserve     p50 %.1f ms, p99 %.1f ms, max %.0f ms (%d answers)", r.Reserve.P50, r.Reserve.P99, r.Reserve.Max, r.Reserve.Count)
	line("  purchase    p50 %.1f ms, p99 %.1f ms, max %.0f ms (%d answers)", r.Purchase.P50, r.Purchase.P99, r.Purchase.Max, r.Purchase.Count)
	if r.Return.Count > 0 {
		line("  released    p50 %.0f ms, p99 %.0f ms, max %.0f ms after the hold's end (%d)", r.Return.P50, r.Return.P99, r.Return.Max, r.Return.Count)
	}
	for _, code := range slices.Sorted(maps.Keys(r.Refused)) {
		line("  refused     %d %s", r.Refused[code], code)
	}
	if w := r.Waitlist; w != nil {
		line("  waitlist    %d joined, %d left, %d skipped", w.Joined, w.Left, w.Skipped)
		line("  offers      %d; %d bought, %d declined, %d expired", w.Offered, w.Bought, w.Declined, w.Expired)
	}
	if e := r.Early; e != nil {
		line("  early       %d codes, used %d times; %d refused", e.Codes, e.Used, e.Refused)
		line("  kept        %d; %d sold, %d went back", e.Kept, e.Sold, e.Returned)
	}
	line("  watchers    %d", r.Watchers)
	line("  records     %s", r.Books)
	if r.Payments {
		line("  payments    not played: no money moves, and buyers purchase without the checkout")
	}
	if r.Draw {
		line("  draw        not played: the copy is sold first come, first served")
	}
	for _, fault := range r.Faults {
		line("  FAULT       %s", fault)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
