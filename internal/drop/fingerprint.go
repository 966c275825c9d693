package drop

import (
	"crypto/sha256"
	"strconv"
)

// Asked is the text of what a call asks for. Its SHA-256 is stored with an idempotency key (docs/FORMATS.md,
// "Fingerprints"). Different requests of one operation have different texts.
//
// The texts are a stored format, version 1, and servers of different versions compare them. A release must never
// change the text of a request that an earlier release could receive. A new field is left out of the text if the
// request does not set it.
type Asked string

func (a Asked) fingerprint() [sha256.Size]byte { return sha256.Sum256([]byte(a)) }

// AskedUser returns the text of a call that makes a buyer.
func AskedUser(username, email string) Asked {
	b := appendText(nil, "[2]string{", username)
	b = appendText(b, ", ", email)
	return Asked(append(b, '}'))
}

// AskedCreate returns the text of a call that makes a drop. It uses the fields as sent, not their normal form, so a
// retry has the same text.
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
	if s.Hidden {
		b = append(b, ", Hidden:true"...)
	}
	if s.Waitlist || s.OffersCount || s.OfferFor != 0 || s.MaxWaiting != 0 {
		b = strconv.AppendBool(append(b, ", Waitlist:"...), s.Waitlist)
		b = strconv.AppendBool(append(b, ", OffersCount:"...), s.OffersCount)
		b = appendNumber(b, ", OfferFor:", int64(s.OfferFor))
		b = appendNumber(b, ", MaxWaiting:", int64(s.MaxWaiting))
	}
	if terms := s.Draw.Encode(); terms != "" {
		b = appendText(b, ", Draw:", terms)
	}
	total := int64(-1)
	if s.TotalStock != nil {
		total = *s.TotalStock
	}
	b = appendNumber(b, "}, Total:", total)
	return Asked(append(b, '}'))
}

// AskedDuplicate is what a call asks for that makes a drop like another, in what it gives.
func AskedDuplicate(of ID, name *string, start *Time) Asked {
	b := appendNumber(nil, "duplicate{Drop:", int64(of))
	if name != nil {
		b = appendText(b, ", Name:", *name)
	}
	if start != nil {
		b = appendNumber(b, ", StartTime:", int64(*start))
	}
	return Asked(append(b, '}'))
}

func askedNumber(n int64) Asked { return Asked(strconv.FormatInt(n, 10)) }

func appendNumber(b []byte, before string, n int64) []byte {
	return strconv.AppendInt(append(b, before...), n, 10)
}

func appendText(b []byte, before, s string) []byte {
	return strconv.AppendQuote(append(b, before...), s)
}
