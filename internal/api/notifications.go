package api

import (
	"bytes"
	"errors"
	"net/http"

	"sneakerdrop/internal/drop"
)

const paymentsPath = "/api/payments"

// maxNotification bounds the body of a payment provider's notification, in bytes.
const maxNotification = 1 << 20

// notificationRoutes are the calls that a payment provider makes. They are not in the document: the provider decides
// what it sends.
//
// They have no rate limit, because all notifications come from a few addresses, and a lost one makes a buyer wait. What
// a stranger sends costs a signature's check and nothing more.
func (a *api) notificationRoutes() []route {
	if a.checkout == nil || a.checkout.Provider() == "demo" { // which sends none
		return nil
	}
	return []route{{
		method: http.MethodPost, path: paymentsPath + "/" + a.checkout.Provider(), serve: a.takeNotification, maxBody: maxNotification,
		id: "take-notification", access: anybody, tag: tagService,
	}}
}

// takeNotification answers as soon as the notification is stored. The provider's signature covers the body as it came.
func (a *api) takeNotification(w http.ResponseWriter, r *http.Request) error {
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxNotification)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return tooLarge(maxNotification)
		}
		return drop.Refuse(codeNotification) // it was cut off
	}
	if err := a.checkout.Notify(r.Context(), r.Header, body.Bytes()); err != nil {
		return err
	}
	writeJSON(w, struct{}{})
	return nil
}
