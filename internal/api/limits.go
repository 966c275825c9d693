package api

import (
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
)

// limits enforces the rate limits of addresses and buyers. A refused request takes no token and has no other effect.
type limits struct {
	rules     limit.Rules // for addresses
	addresses *limit.Limiter[netip.Addr]
	buyers    *limit.Limiter[drop.UserID]
	proxies   []netip.Prefix
	policies  map[limit.Class]policy
	// wrongCodes are those of an address, and wrongCodesOf those of a signed-in buyer.
	wrongCodes   *limit.Failures[netip.Addr]
	wrongCodesOf *limit.Failures[drop.UserID]
	refused      *prometheus.CounterVec
	log          *slog.Logger
	warnOnce     sync.Once
}

func newLimits(c *Config) *limits {
	l := &limits{
		rules: c.AddressLimits, addresses: limit.New[netip.Addr](c.AddressLimits, 0),
		wrongCodes: limit.NewFailures[netip.Addr](maxWrongCodes, wrongWithin, 0), wrongCodesOf: limit.NewFailures[drop.UserID](maxWrongCodes, wrongWithin, 0),
		buyers: limit.New[drop.UserID](c.BuyerLimits, 0), policies: make(map[limit.Class]policy), proxies: c.TrustedProxies, log: c.Log,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sneakerdrop_rate_limited_total", Help: "Requests refused by a rate limit, by class of call and kind of caller (address or buyer).",
		}, []string{"class", "caller"}),
	}
	for class, rate := range c.AddressLimits {
		l.policies[class] = policy{address: policyOf(string(class), rate)}
	}
	for class, rate := range c.BuyerLimits {
		l.policies[class] = policy{address: l.policies[class].address, buyer: policyOf(string(class)+buyerPolicy, rate)}
	}
	for _, class := range []limit.Class{limit.Read, limit.Buy, limit.Operate, codeClass} {
		l.refused.WithLabelValues(string(class), "address") // so that metrics show them from the start
		l.refused.WithLabelValues(string(class), "buyer")
	}
	return l
}

// locate sets RemoteAddr to the client's address if the request came through trusted proxies.
func (l *limits) locate(r *http.Request) {
	if len(l.proxies) > 0 {
		if client := limit.ClientAddress(r, l.proxies); client.IsValid() {
			_, port, _ := net.SplitHostPort(r.RemoteAddr)
			r.RemoteAddr = net.JoinHostPort(client.String(), port)
		}
		return
	}
	if len(l.rules) > 0 && r.Header.Get("X-Forwarded-For") != "" {
		l.warnOnce.Do(func() {
			l.log.Warn("requests carry X-Forwarded-For, which is ignored without --trusted-proxy; all clients behind a proxy share one rate limit",
				"peer", r.RemoteAddr)
		})
	}
}

// limitAddress takes a token of the caller's address for a call of that class. It returns a refusal if there is none
// left.
func (l *limits) limitAddress(w http.ResponseWriter, r *http.Request, class limit.Class) error {
	if class == "" || len(l.rules) == 0 {
		return nil
	}
	v, limited := l.addresses.Take(class, limit.Caller(limit.ClientAddress(r, nil)))
	if !limited {
		return nil
	}
	return l.verdict(w, class, string(class), "address", l.policies[class].address, v)
}

// limitBuyer does the same for a buyer. Buyer 0 stands for nobody and has no limit.
func (l *limits) limitBuyer(w http.ResponseWriter, class limit.Class, buyer drop.UserID) error {
	if buyer == 0 {
		return nil
	}
	v, limited := l.buyers.Take(class, buyer)
	if !limited {
		return nil
	}
	return l.verdict(w, class, string(class)+buyerPolicy, "buyer", l.policies[class].buyer, v)
}

// guess makes a call that shows a code, unless the caller's address, or the signed-in buyer, has shown too many wrong
// ones.
func (l *limits) guess(w http.ResponseWriter, r *http.Request, do func() error) (err error) {
	address, buyer := limit.Caller(limit.ClientAddress(r, nil)), callerOf(w).buyer.ID
	var wrong bool
	if wait := l.wrongCodes.Begin(address); wait > 0 {
		return l.tooManyCodes("address", wait)
	}
	defer func() {
		if wait := l.wrongCodes.End(address, wrong); wait > 0 {
			err = l.tooManyCodes("address", wait)
		}
	}()
	if buyer != 0 {
		if wait := l.wrongCodesOf.Begin(buyer); wait > 0 {
			return l.tooManyCodes("buyer", wait)
		}
		defer func() {
			if wait := l.wrongCodesOf.End(buyer, wrong); wait > 0 {
				err = l.tooManyCodes("buyer", wait)
			}
		}()
	}
	err = do()
	wrong = err != nil && drop.CodeOf(err) == drop.CodeCodeInvalid
	return err
}

func (l *limits) tooManyCodes(of string, wait time.Duration) error {
	l.refused.WithLabelValues(string(codeClass), of).Inc()
	return &drop.Error{Code: codeRateLimited, RetryIn: wait}
}

// verdict writes the remaining tokens into the answer's headers (draft-ietf-httpapi-ratelimit-headers-10), and
// returns a refusal if the call is not allowed.
func (l *limits) verdict(w http.ResponseWriter, class limit.Class, name, of, policy string, v limit.Verdict) error {
	h := w.Header()
	if h["Ratelimit"] == nil {
		room := make([]string, 4) // for both headers, with two values each
		h["Ratelimit-Policy"], h["Ratelimit"] = room[0:0:2], room[2:2:4]
	}
	h["Ratelimit-Policy"] = append(h["Ratelimit-Policy"], policy)
	h["Ratelimit"] = append(h["Ratelimit"], item(name, 'r', v.Remaining, 't', seconds(v.Reset)))
	if v.Allowed {
		return nil
	}
	l.refused.WithLabelValues(string(class), of).Inc()
	return &drop.Error{Code: codeRateLimited, RetryIn: v.RetryAfter}
}

// buyerPolicy is the suffix of the names of policies for buyers.
const buyerPolicy = "-buyer"

// policy is the RateLimit-Policy of a class: the rule for addresses, and the one for buyers.
type policy struct{ address, buyer string }

func policyOf(name string, r limit.Rate) string {
	return item(name, 'q', r.Burst, 'w', seconds(r.Window()))
}

// item formats a string with two parameters as a structured field (RFC 9651, 3.3): "buy";q=40;w=2.
func item(name string, first byte, a int, second byte, b int) string {
	text := append(append(append(make([]byte, 0, 40), '"'), name...), '"', ';', first, '=')
	text = append(strconv.AppendInt(text, int64(a), 10), ';', second, '=')
	return string(strconv.AppendInt(text, int64(b), 10))
}

// seconds rounds up, so that a client that waits that long has waited long enough.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// class returns the class in which calls of this route are counted. Probes and metrics have none.
func (rt *route) class() limit.Class {
	switch {
	case rt.tag == tagService:
		return ""
	case rt.operator:
		return limit.Operate
	case rt.method == http.MethodGet:
		return limit.Read
	default:
		return limit.Buy
	}
}
