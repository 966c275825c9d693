package fakestripe

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is an error in an answer.
type Problem struct {
	Type    string `json:"type"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
	// PaymentIntent is in the answer to a call on one: it has a client_secret.
	PaymentIntent map[string]any `json:"payment_intent,omitempty"`
	status        int
	invalid       bool // the parameters do not pass, so nothing is stored under the idempotency key
}

// kept is what an idempotency key was used for.
type kept struct {
	request  string
	status   int
	body     []byte
	underWay bool
	at       time.Time
}

// call is one request.
type call struct {
	method, path string
	form         url.Values
	used         map[string]bool // the parameters that were read
}

// get reads a parameter.
func (c *call) get(name string) string {
	c.used[name] = true
	return c.form.Get(name)
}

// metadata reads a parameter's pairs.
func (c *call) metadata(name string) map[string]string {
	pairs := make(map[string]string)
	for parameter := range c.form {
		if inner, ok := strings.CutPrefix(parameter, name+"["); ok {
			pairs[strings.TrimSuffix(inner, "]")] = c.get(parameter)
		}
	}
	return pairs
}

var expandParameter = regexp.MustCompile(`^expand\[\d+\]$`)

// expand reads the objects that an answer must have whole.
func (c *call) expand() (paths []string) {
	for parameter := range c.form {
		if expandParameter.MatchString(parameter) {
			paths = append(paths, c.get(parameter))
		}
	}
	return paths
}

func invalid(code, param, message string) *Problem {
	return &Problem{Type: "invalid_request_error", Code: code, Param: param, Message: message, status: http.StatusBadRequest, invalid: true}
}

func unknown(what, number string) *Problem {
	return &Problem{
		Type: "invalid_request_error", Code: "resource_missing", Param: "id",
		Message: fmt.Sprintf("No such %s: '%s'", what, number), status: http.StatusNotFound, invalid: true,
	}
}

// ServeHTTP answers a call of Stripe's API.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	form, err := url.ParseQuery(string(body) + "&" + r.URL.RawQuery)
	if err != nil {
		s.t.Errorf("a request that is no form: %v", err)
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: r.URL.Path, Key: r.Header.Get("Idempotency-Key"), Header: r.Header.Clone(), Form: form,
	})
	fault := s.fault(r)
	status, answer, replay := s.harmed(r, form, string(body), fault)
	s.mu.Unlock()
	switch fault.Kind {
	case Lost, Unreached:
		panic(http.ErrAbortHandler)
	case Late:
		select {
		case <-fault.Until:
		case <-r.Context().Done():
		}
		s.mu.Lock()
		if k := s.keys[r.Header.Get("Idempotency-Key")]; k != nil {
			k.underWay = false
		}
		s.mu.Unlock()
	default:
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_fake")
	if replay {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	if fault.Kind == Garbled {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		answer = answer[:len(answer)/2]
	}
	if fault.Kind == Nonsense {
		answer = answer[:len(answer)-1]
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// harmed answers a call that goes wrong, or not.
func (s *Stripe) harmed(r *http.Request, form url.Values, body string, f Fault) (status int, answer []byte, replay bool) {
	switch f.Kind {
	case Unreached:
		return 0, nil, false
	case TooMany:
		status, answer = problem(&Problem{Type: "invalid_request_error", Code: "rate_limit", Message: "Too many requests.", status: 429})
		return status, answer, false
	case Busy:
		status, answer = problem(&Problem{Type: "invalid_request_error", Code: "lock_timeout", Message: "Another request uses this object.", status: 429})
		return status, answer, false
	case Refused:
		status, answer = problem(&Problem{Type: "card_error", Code: "card_declined", Message: "Your card was declined.", status: 402})
		return status, answer, false
	case Doubled:
		s.keyed(r, form, body, f)
	default:
	}
	return s.keyed(r, form, body, f)
}

func problem(p *Problem) (int, []byte) {
	answer, _ := json.Marshal(map[string]any{"error": p})
	return p.status, answer
}

// keysLast is how long an idempotency key is known.
const keysLast = 24 * time.Hour

// keyed answers a call under its idempotency key.
func (s *Stripe) keyed(r *http.Request, form url.Values, body string, f Fault) (status int, answer []byte, replay bool) {
	key := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost || key == "" {
		if f.Kind != Failed {
			status, answer, _ = s.answer(r, form)
		}
		if f.Kind == Failed || f.Kind == FailedAfter {
			status, answer = problem(&Problem{Type: "api_error", Message: "An error of ours.", status: 500})
		}
		return status, answer, false
	}
	request := r.Method + " " + r.URL.Path + "\n" + body
	now := s.options.Now()
	if k := s.keys[key]; k != nil && now.Sub(k.at) < keysLast {
		switch {
		case k.request != request:
			status, answer = problem(&Problem{
				Type: "idempotency_error", Message: "Keys can only be used with the parameters they were first used with.", status: 400,
			})
		case k.underWay:
			status, answer = problem(&Problem{
				Type: "idempotency_error", Code: "idempotency_key_in_use", Message: "There is another request under this key.", status: 409,
			})
		default:
			return k.status, k.body, true
		}
		return status, answer, false
	}
	keep := true
	if f.Kind != Failed {
		status, answer, keep = s.answer(r, form)
	}
	if f.Kind == Failed || f.Kind == FailedAfter {
		keep = true
		status, answer = problem(&Problem{Type: "api_error", Message: "An error of ours.", status: 500})
	}
	if keep {
		s.keys[key] = &kept{request: request, status: status, body: answer, underWay: f.Kind == Late, at: now}
	}
	return status, answer, false
}

// answer does what a call asks for. keep reports whether the answer is stored under its key.
func (s *Stripe) answer(r *http.Request, form url.Values) (status int, body []byte, keep bool) {
	s.pass()
	if r.Header.Get("Authorization") != "Bearer "+s.options.Key {
		status, body = problem(&Problem{
			Type: "invalid_request_error", Message: "Invalid API Key provided: " + masked(r.Header.Get("Authorization")), status: http.StatusUnauthorized,
		})
		return status, body, false
	}
	c := &call{method: r.Method, path: r.URL.Path, form: form, used: make(map[string]bool)}
	content, p := s.route(c)
	if p == nil && c.method == http.MethodGet {
		p = c.unread()
	}
	if p != nil {
		if p.status == 0 {
			p.status = http.StatusBadRequest
		}
		status, body = problem(p)
		return status, body, !p.invalid
	}
	body, err := json.Marshal(content)
	if err != nil {
		s.t.Errorf("encode the answer to %s %s: %v", c.method, c.path, err)
	}
	return http.StatusOK, body, true
}

// masked is how Stripe repeats a key that it does not take.
func masked(authorization string) string {
	key := strings.TrimPrefix(authorization, "Bearer ")
	return strings.Repeat("*", 8) + key[max(0, len(key)-4):]
}

// unread refuses parameters that nobody has read, as Stripe refuses those that it does not know.
func (c *call) unread() *Problem {
	for _, name := range slices.Sorted(maps.Keys(c.form)) {
		if !c.used[name] {
			return invalid("parameter_unknown", name, "Received unknown parameter: "+name)
		}
	}
	return nil
}

// route finds what answers a call.
func (s *Stripe) route(c *call) (any, *Problem) {
	parts := strings.Split(strings.TrimPrefix(c.path, "/v1/"), "/")
	what := c.method + " " + parts[0]
	switch {
	case c.path == "/v1/checkout/sessions" && c.method == http.MethodPost:
		return s.createSession(c)
	case c.path == "/v1/checkout/sessions" && c.method == http.MethodGet:
		return s.listSessions(c)
	case what == "GET checkout" && len(parts) == 3:
		if o := s.session(parts[2]); o != nil {
			return o.render(c.expand()), nil
		}
		return nil, unknown("checkout.session", parts[2])
	case what == "POST checkout" && len(parts) == 4 && parts[3] == "expire":
		return s.expireSession(c, parts[2])
	case c.path == "/v1/payment_intents/search":
		return s.searchIntents(c)
	case what == "POST payment_intents" && len(parts) == 3:
		return s.changeIntent(c, parts[1], parts[2])
	case c.path == "/v1/refunds" && c.method == http.MethodPost:
		return s.createRefund(c)
	case c.path == "/v1/refunds" && c.method == http.MethodGet:
		return s.listRefunds(c)
	}
	return nil, &Problem{
		Type: "invalid_request_error", Message: "Unrecognized request URL (" + c.method + ": " + c.path + ").", status: http.StatusNotFound, invalid: true,
	}
}

func (s *Stripe) createSession(c *call) (any, *Problem) {
	const item = "line_items[0]"
	amount, _ := strconv.ParseInt(c.get(item+"[price_data][unit_amount]"), 10, 64)
	expires, _ := strconv.ParseInt(c.get("expires_at"), 10, 64)
	o := &session{
		status: "open", currency: c.get(item + "[price_data][currency]"), email: c.get("customer_email"),
		reference: c.get("client_reference_id"), capture: c.get("payment_intent_data[capture_method]"),
		success: c.get("success_url"), amount: amount, created: s.now(), expires: expires, metadata: c.metadata("metadata"),
		intentMetadata: c.metadata("payment_intent_data[metadata]"),
	}
	expand := c.expand()
	c.get("cancel_url")
	c.get("payment_intent_data[description]")
	c.get("adaptive_pricing[enabled]")
	switch {
	case c.get("mode") != "payment":
		return nil, invalid("", "mode", "This fake knows the mode payment only.")
	case o.success == "":
		return nil, invalid("parameter_missing", "success_url", "Missing required param: success_url.")
	case len(o.currency) != 3 || o.currency != strings.ToLower(o.currency):
		return nil, invalid("", item+"[price_data][currency]", "Invalid currency: "+o.currency)
	case c.get(item+"[quantity]") != "1" || c.get(item+"[price_data][product_data][name]") == "":
		return nil, invalid("parameter_missing", item, "Missing required param: "+item)
	case amount < 50:
		return nil, invalid("amount_too_small", "", "The amount must convert to at least 50 cents.")
	case amount > 99_999_999:
		return nil, invalid("amount_too_large", "", "The amount must be no more than 999,999.99.")
	case expires < s.now()+30*60 || expires > s.now()+24*60*60:
		return nil, invalid("", "expires_at", "The time must be at least 30 minutes and at most 24 hours from now.")
	case o.email != "" && !strings.Contains(o.email, "@"):
		p := invalid("email_invalid", "customer_email", "Invalid email address: "+o.email)
		p.invalid = false // so that a caller who repeats the key with another address notices
		return nil, p
	}
	if p := c.unread(); p != nil {
		return nil, p
	}
	o.id = s.number("cs")
	o.url = "https://checkout.example/c/pay/" + o.id
	s.sessions = append(s.sessions, o)
	return o.render(expand), nil
}

func (s *Stripe) listSessions(c *call) (any, *Problem) {
	from, _ := strconv.ParseInt(c.get("created[gte]"), 10, 64)
	of := c.get("payment_intent")
	var all []object
	for _, o := range slices.Backward(s.sessions) {
		if o.created >= from && (of == "" || o.intent != nil && o.intent.id == of) {
			all = append(all, o)
		}
	}
	return c.page(all)
}

// page answers with a part of a list.
func (c *call) page(all []object) (any, *Problem) {
	limit, _ := strconv.Atoi(c.get("limit"))
	after := c.get("starting_after")
	var expand []string
	for _, path := range c.expand() {
		inner, ok := strings.CutPrefix(path, "data.")
		if !ok {
			return nil, invalid("", "expand", "This property cannot be expanded ("+path+").")
		}
		expand = append(expand, inner)
	}
	data := []any{}
	more, skip := false, after != ""
	for _, o := range all {
		m := o.render(expand)
		switch {
		case skip:
			skip = m["id"] != after
		case len(data) == limit:
			more = true
		default:
			data = append(data, m)
		}
	}
	return map[string]any{"object": "list", "data": data, "has_more": more}, nil
}

func (s *Stripe) expireSession(c *call, number string) (any, *Problem) {
	o := s.session(number)
	switch {
	case o == nil:
		return nil, unknown("checkout.session", number)
	case o.status != "open":
		return nil, &Problem{
			Type:    "invalid_request_error",
			Message: fmt.Sprintf("Only Checkout Sessions with a status in [\"open\"] can be expired. This one has a status of `%s`.", o.status),
		}
	}
	s.expire(o)
	return o.render(c.expand()), nil
}

// indexed is how long it takes until the search finds a payment intent.
const indexed = time.Minute

var query = regexp.MustCompile(`^metadata\["([a-z_]+)"\]:"([0-9]+)"$`)

func (s *Stripe) searchIntents(c *call) (any, *Problem) {
	parts := query.FindStringSubmatch(c.get("query"))
	if parts == nil {
		return nil, invalid("", "query", "This fake does not know the query.")
	}
	var all []object
	for _, o := range slices.Backward(s.sessions) {
		i := o.intent
		if i != nil && i.metadata[parts[1]] == parts[2] && i.created+int64(indexed/time.Second) <= s.now() {
			all = append(all, i)
		}
	}
	return c.page(all)
}

func (s *Stripe) changeIntent(c *call, number, verb string) (any, *Problem) {
	i := s.intents[number]
	if i == nil {
		return nil, unknown("payment_intent", number)
	}
	state := &Problem{
		Type: "invalid_request_error", Code: "payment_intent_unexpected_state", PaymentIntent: i.render(nil),
		Message: fmt.Sprintf("You cannot %s this PaymentIntent because it has a status of %s.", verb, i.status),
	}
	switch {
	case verb == "capture" && i.status == "requires_capture":
		s.captured(i)
	case verb == "cancel" && i.status == "requires_capture":
		s.cancel(i, "")
	case verb == "capture" || verb == "cancel":
		return nil, state
	default:
		return nil, unknown("call", verb)
	}
	return i.render(c.expand()), nil
}

func (s *Stripe) createRefund(c *call) (any, *Problem) {
	number := c.get("payment_intent")
	i := s.intents[number]
	if i == nil {
		return nil, unknown("payment_intent", number)
	}
	amount, err := strconv.ParseInt(c.get("amount"), 10, 64)
	if err != nil {
		return nil, invalid("parameter_invalid_integer", "amount", "Invalid integer.")
	}
	metadata := c.metadata("metadata")
	for name, value := range metadata {
		if len(name) > 40 || len(value) > 500 {
			return nil, invalid("", "metadata", "Metadata values can have up to 500 characters.")
		}
	}
	if p := c.unread(); p != nil {
		return nil, p
	}
	r, p := s.refund(i, amount, metadata)
	if p != nil {
		return nil, p
	}
	return r.render(c.expand()), nil
}

func (s *Stripe) listRefunds(c *call) (any, *Problem) {
	of := c.get("payment_intent")
	var all []object
	for _, r := range slices.Backward(s.refunds) {
		if r.intent.id == of {
			all = append(all, r)
		}
	}
	return c.page(all)
}
