package identity

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

// NumberClaim is the claim with the buyer's number in tokens that Signer makes.
const NumberClaim = "shop_id"

// Signer returns a function that makes tokens (JWT, HS256) for simulated buyers of a server with that secret.
// Rehearsals and load tests use it. Each token is valid for an hour.
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
