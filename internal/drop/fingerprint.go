package drop

import (
	"crypto/sha256"
	"strconv"
)

// Asked is what a call asks for, as the text whose SHA-256 is kept beside an idempotency key (docs/FORMATS.md,
// "Fingerprints"). Any other request of the same operation has another text. The texts are a format, version 1:
// servers of other versions compare them, so a release never changes the text of a request that an earlier one could
// be sent. What is new is left out where it is not given.
type Asked string

func (a Asked) fingerprint() [sha256.Size]byte { return sha256.Sum256([]byte(a)) }

// AskedUser is what a call that makes a buyer asks for.
func AskedUser(username, email string) Asked {
	b := appendText(nil, "[2]string{", username)
	b = appendText(b, ", ", email)
	return Asked(append(b, '}'))
}

// AskedCreate is what a call that makes a drop asks for, as it was sent: a retry is the same text, whatever its
// normal form.
func AskedCreate(s *Spec) Asked {
	b := appendText(nil, "struct { Spec drop.Spec; Total int64 }{Spec:drop.Spec{Name:", s.Name)
	b = appendNumber(b, ", Price:", int64(s.Price))
	b = appendNumber(b, ", StartTime:", int64(s.StartTime))
	b = appendText(b, ", ImageURL:", s.ImageURL)
	b = append(b, ", TotalStock:(*int64)(nil), Sizes:[]drop.SizeSpec"...)
	if s.Sizes == nil {
		b = append(b, "(nil)"...)
	} else {
		b = append(b, '{')
		for i := range s.Sizes {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendText(b, "drop.SizeSpec{Label:", s.Sizes[i].Label)
			b = appendNumber(b, ", Stock:", s.Sizes[i].Stock)
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	b = appendNumber(b, ", LimitPerUser:", int64(s.LimitPerUser))
	b = appendNumber(b, ", MaxExpiredHolds:", int64(s.MaxExpiredHolds))
	total := int64(-1)
	if s.TotalStock != nil {
		total = *s.TotalStock
	}
	b = appendNumber(b, "}, Total:", total)
	return Asked(append(b, '}'))
}

func askedNumber(n int64) Asked { return Asked(strconv.FormatInt(n, 10)) }

func appendNumber(b []byte, before string, n int64) []byte {
	return strconv.AppendInt(append(b, before...), n, 10)
}

func appendText(b []byte, before, s string) []byte {
	return strconv.AppendQuote(append(b, before...), s)
}
