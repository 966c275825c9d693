package demo

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style sheet
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"sneakerdrop/internal/payment"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

// loaded is read when somebody first asks for the page.
type loaded struct {
	page  *template.Template
	style string // its source in the page's policy
}

var load = sync.OnceValue(func() loaded {
	sum := sha256.Sum256([]byte(pageCSS))
	return loaded{
		page:  template.Must(template.New("page").Parse(pageHTML)),
		style: "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
})

// The test cards. They do the same at many payment companies.
const (
	CardPays     = "4242 4242 4242 4242"
	CardDeclined = "4000 0000 0000 0002"
	CardLate     = "4000 0000 0000 0077"
)

type card struct{ Number, Does string }

func cards() []card {
	return []card{
		{CardPays, "Pays at once"},
		{CardDeclined, "Declines"},
		{CardLate, "Takes its time: you decide when it pays"},
	}
}

// view is what the page shows.
type view struct {
	Title, Amount, Problem, Card, Said string

	Style template.CSS
	State payment.State
	Order *payment.Order // nil: the payment is not there
	Cards []card
}

// maxForm is how many bytes of a form are read.
const maxForm = 4 << 10

// Handler serves the page of each payment: the last element of the path is the payment's number. A browser needs no
// script for it. Nobody else knows the number, so a form on another site cannot pay.
func (p *Provider) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := path.Base(r.URL.Path)
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			p.show(w, number, "", "")
		case http.MethodPost:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if err := r.ParseForm(); err != nil {
				http.Error(w, "The form cannot be read. Go back and try again.", http.StatusBadRequest)
				return
			}
			p.obey(w, r, number)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "This page knows GET and POST only.", http.StatusMethodNotAllowed)
		}
	})
}

// obey does what the buyer pressed. A payment that has changed since the page was shown stays unchanged.
func (p *Provider) obey(w http.ResponseWriter, r *http.Request, number string) {
	typed := r.PostForm.Get("card")
	var ok bool
	switch r.PostForm.Get("do") {
	case "cancel":
		ok = true // the buyer may come back while the checkout is open
	case "arrive":
		ok = p.move(number, payment.Pending, (*entry).authorise)
	case "bounce":
		ok = p.move(number, payment.Pending, func(e *entry) {
			e.found.State, e.found.Reason = payment.Failed, "the bank declined the late money"
		})
	case "pay":
		switch digits(typed) {
		case digits(CardPays):
			ok = p.move(number, payment.Open, (*entry).authorise)
		case digits(CardLate):
			p.move(number, payment.Open, func(e *entry) { e.found.State = payment.Pending })
			sendOn(w, number) // to this page again, which says that the bank takes its time
			return
		case digits(CardDeclined):
			p.show(w, number, typed, "The bank declined this card. Try another one.")
			return
		default:
			p.show(w, number, "", "This is no test card. Use one of those below, and never a real one.")
			return
		}
	}
	e, found := p.copyOf(number)
	if !ok || !found {
		p.show(w, number, "", "")
		return
	}
	sendOn(w, e.order.ReturnURL)
}

// sendOn sends the browser to another address, which may be relative to this page's.
func sendOn(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// move changes a payment that is in a state, and reports whether it was.
func (p *Provider) move(number string, from payment.State, do func(*entry)) bool {
	p.mu.Lock()
	e := p.byNumber[number]
	moved := e != nil && e.found.State == from
	if moved {
		do(e)
	}
	p.mu.Unlock()
	if moved && p.options.Changed != nil {
		p.options.Changed(payment.Ref{ID: e.order.ID, Number: number}) // neither changes after Start
	}
	return moved
}

// copyOf returns a payment by its number.
func (p *Provider) copyOf(number string) (entry, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.byNumber[number]; e != nil {
		return *e, true
	}
	return entry{}, false
}

// show answers with the page of a payment.
func (p *Provider) show(w http.ResponseWriter, number, typed, problem string) {
	v := view{Title: "This payment is not here", Style: template.CSS(pageCSS), Problem: problem, Card: typed} //nolint:gosec // ours
	status, back := http.StatusNotFound, ""
	if e, ok := p.copyOf(number); ok {
		status = http.StatusOK
		v.Order, v.State = &e.order, e.found.State
		v.Amount = e.order.Amount.In(e.order.Currency) + " " + e.order.Currency.Code
		v.Title, v.Said = said(e.found)
		v.Cards = cards()
		back, _ = originOf(e.order.ReturnURL)
		if v.State != payment.Open {
			v.Problem = ""
		} else if v.Card == "" {
			v.Card = CardPays
		}
	}
	if v.Problem != "" {
		status = http.StatusUnprocessableEntity
	}
	l := load()
	var b bytes.Buffer
	if err := l.page.Execute(&b, &v); err != nil {
		http.Error(w, "The page cannot be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	// Browsers also apply form-action to the address that the answer to a form redirects to.
	h.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; style-src "+l.style+
		"; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+back))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", "en")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// said returns the page's title, and what it says of a payment that is over for the buyer.
func said(f payment.Found) (title, sentence string) {
	switch f.State {
	case payment.Open:
		return "Pay with a test card", ""
	case payment.Pending:
		return "Your payment is on its way", ""
	case payment.Authorised, payment.Captured:
		return "You have paid", "There is nothing left to do on this page."
	case payment.Voided:
		return "Your payment was given up", "The shop did not take the money: you owe nothing."
	default:
		return "You can no longer pay here", "No money was set aside: you owe nothing."
	}
}

func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, number)
}

// originOf returns the origin of a web address, or nothing for a path of this server. It reports whether the address
// is one of both.
func originOf(address string) (origin string, ok bool) {
	u, err := url.Parse(address)
	switch {
	case err != nil || strings.Contains(address, `\`) || strings.ContainsAny(u.Host, ";,'*"):
		return "", false
	case u.Scheme == "" && u.Host == "":
		return "", strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(address, "//")
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil:
		return u.Scheme + "://" + u.Host, true
	default:
		return "", false
	}
}
