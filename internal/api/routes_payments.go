package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const examplePayment = `"id":17,"status":"captured","unsettled":false,"amount":119.99,"currency":"USD","refunded":0,"provider":"stripe",` +
	`"number":"pi_3PQ","expires_at":"2026-01-31T10:10:00.120Z","createdAt":"2026-01-31T10:00:01.000Z"`

// paying adds to the codes of a route those that it has only where buyers pay.
func (a *api) paying(codes []drop.Code, more ...drop.Code) []drop.Code {
	if a.checkout == nil {
		return codes
	}
	return append(codes, more...)
}

// paymentRoutes are the calls about payments, for shops that take them.
func (a *api) paymentRoutes() []route {
	if a.checkout == nil {
		return nil
	}
	return []route{
		{
			method: http.MethodPost, path: dropsPath + "/checkout", serve: a.beginCheckout, repeatable: true,
			id: "checkout", access: buyers, tag: tagBuying, summary: "Begin to pay for a reserved unit",
			text: "Answers with the address of the page where the buyer pays, and keeps the unit until expires_at. A repeated call returns the same " +
				"payment while the buyer can pay.",
			body: reflect.TypeFor[checkoutRequest](),
			examples: []example{
				{"checkout", "Back to the drop's page of this server", `{"reservationId":4294967297,"return_url":"/drops/1?payment={payment}"}`},
			},
			answer:        reflect.TypeFor[checkoutAnswer](),
			answerExample: `{"url":"https://shop.example/pay/5FZ","expires_at":"2026-01-31T10:10:00.120Z","payment":{"id":17,"status":"open"}}`,
			codes: []drop.Code{
				drop.CodeReservationNotFound, drop.CodeReservationExpired, drop.CodeReservationCancelled, drop.CodeAlreadyPurchased,
				drop.CodePaymentPending, drop.CodePaymentFailed, codeNoProvider, codeOverloaded,
			},
		},
		{
			method: http.MethodGet, path: paymentsPath + "/{id}", serve: a.showPayment,
			id: "get-payment", access: buyers, tag: tagBuying, summary: "Read what became of a payment",
			text:   "For the buyer who comes back from the payment provider. If the payment is not settled, the server asks the provider first.",
			params: []*huma.Param{idParam("The payment's id", "17")},
			answer: reflect.TypeFor[buyersPaymentAnswer](),
			answerExample: `{"payment":{` + examplePayment + `},"dropId":1,"reservationId":4294967297,"userId":3,` +
				`"purchase":{"id":4294967297,"dropId":1,"userId":3,"reservationId":4294967297,"price":119.99,"createdAt":"2026-01-31T10:00:02.345Z"}}`,
			codes: []drop.Code{drop.CodeInvalid, codePaymentNotFound},
		},
		{
			method: http.MethodGet, path: paymentsPath, serve: a.listPayments, long: true,
			id: "list-payments", access: viewers, tag: tagOperating, summary: "List payments",
			text: "Newest first. With unsettled=true: those for which the server still has to do something, in ascending order of id. One with tries above 0 " +
				"is stuck, and reason says why. The operators' log leaves this call out.",
			params: []*huma.Param{
				{
					Name: "unsettled", In: "query", Description: "true: only payments that wait for the buyer, the provider or another try",
					Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"true", "false"}, Default: "false"},
				},
				beforeParam("The value of next from the previous page"), rowParam("after", "With unsettled=true: the value of next from the previous page", 0),
				limitParam(maxPage),
			},
			answer: reflect.TypeFor[paymentsAnswer](),
			answerExample: `{"payments":[{` + examplePayment + `,"dropId":1,"reservationId":4294967297,"userId":3,"username":"Unknown","purchaseId":4294967297,` +
				`"reason":null,"tries":0,"due_at":null}],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid},
		},
		{
			method: http.MethodPost, path: purchasesPath + "/{id}/refund", serve: a.refundPurchase, operator: true,
			id: refundPurchaseID, access: operators, tag: tagOperating, summary: "Refund a purchase",
			text: "Gives the buyer back amount, or without it all that is not refunded yet. The unit stays with the buyer: to take it back is another call. " +
				"If the provider does not answer, the server repeats the refund by itself, and unsettled is true until it is made. With the same " +
				"Idempotency-Key this server refunds once in ten minutes; another server does not know the key.",
			params: []*huma.Param{idParam("The purchase's id", "4294967297")}, body: reflect.TypeFor[refundRequest](),
			examples: []example{
				{"part", "A part of the price", `{"amount":20,"reason":"a scratch on the box"}`},
				{"rest", "All that is left", `{}`},
			},
			answer: reflect.TypeFor[purchaseAnswer](),
			answerExample: `{"id":4294967297,"dropId":1,"userId":3,"reservationId":4294967297,"price":119.99,"createdAt":"2026-01-31T10:00:02.345Z",` +
				`"payment":{` + strings.Replace(examplePayment, `"refunded":0`, `"refunded":20`, 1) + `}}`,
			codes: []drop.Code{drop.CodePurchaseNotFound, codePaymentNotFound, drop.CodePaymentFailed, codeNoProvider},
		},
	}
}
