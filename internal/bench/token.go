package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"sync"
	"time"
)

// mostSigned bounds the tokens that are signed before a run begins, in some 130 MB.
const mostSigned = 500_000

// signed are the tokens of the first buyers, one behind the other: nothing that the garbage collector looks into.
type signed struct {
	buyer func(int64) string
	text  []byte
	ends  []uint32 // ends[n] is where that of buyer n ends
}

// sign has the tokens of the first n buyers made, so that making them is no part of the load.
func sign(buyer func(int64) string, n int) *signed {
	s := &signed{buyer: buyer, ends: make([]uint32, 1, n+1)}
	if buyer == nil {
		return s
	}
	for i := range min(n, mostSigned) {
		s.text = append(s.text, buyer(int64(i+1))...)
		s.ends = append(s.ends, uint32(len(s.text)))
	}
	return s
}

// of returns a buyer's token; nil: buyers have none.
func (s *signed) of(buyer int64) []byte {
	switch {
	case s.buyer == nil:
		return nil
	case buyer < int64(len(s.ends)):
		return s.text[s.ends[buyer-1]:s.ends[buyer]]
	default:
		return []byte(s.buyer(buyer))
	}
}

// NumberClaim is the claim with the buyer's number in the tokens that Signer makes.
const NumberClaim = "shop_id"

// Signer returns what makes tokens (JWT, HS256) of buyers for a server that has the secret; each is good for an hour.
func Signer(secret []byte, audience string) func(buyer int64) string {
	encode := base64.RawURLEncoding.AppendEncode
	header := append(encode(nil, []byte(`{"alg":"HS256","typ":"JWT"}`)), '.')
	end := fmt.Appendf(nil, `,"aud":%q,"exp":%d}`, audience, time.Now().Add(time.Hour).Unix())
	macs := sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}
	return func(buyer int64) string {
		claims := append(make([]byte, 0, 128), `{"sub":"bench-`...)
		claims = append(strconv.AppendInt(claims, buyer, 10), `","`+NumberClaim+`":`...)
		claims = append(strconv.AppendInt(claims, buyer, 10), end...)
		token := encode(append(make([]byte, 0, 320), header...), claims)
		mac := macs.Get().(hash.Hash)
		defer macs.Put(mac)
		mac.Reset()
		_, _ = mac.Write(token) // never fails
		return string(encode(append(token, '.'), mac.Sum(nil)))
	}
}
