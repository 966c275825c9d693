package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// NumberClaim is the claim with the buyer's number in the tokens that Signer makes.
const NumberClaim = "shop_id"

// Signer returns what makes tokens (JWT, HS256) of buyers for a server that has the secret; each is good for an hour.
func Signer(secret []byte, audience string) func(buyer int64) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(`{"alg":"HS256","typ":"JWT"}`))
	expires := time.Now().Add(time.Hour).Unix()
	return func(buyer int64) string {
		text := header + "." + encode(fmt.Appendf(nil, `{"sub":"bench-%d","aud":%q,"%s":%d,"exp":%d}`, buyer, audience, NumberClaim, buyer, expires))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return text + "." + encode(mac.Sum(nil))
	}
}
