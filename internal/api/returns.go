package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const (
	purchasesPath    = "/api/purchases"
	returnPurchaseID = "return-purchase"
)

type returnRequest struct {
	Restock *bool   `json:"restock" required:"true" nullable:"false" doc:"true: the unit goes on sale again at once. false: it is written off and leaves the stock"`
	Reason  *string `json:"reason,omitzero" maxLength:"500" doc:"Why, for the operators' log"`
}

func (a *api) returnRoutes() []route {
	return []route{{
		method: http.MethodPost, path: purchasesPath + "/{id}/return", serve: a.returnPurchase, operator: true,
		id: returnPurchaseID, access: operators, tag: tagOperating, summary: "Take the unit of a purchase back",
		text: "The unit goes on sale again, or is written off. The purchase stays and still counts toward the buyer's limit. No money moves: " +
			"refund the buyer where they paid. A repeated call changes nothing.",
		params: []*huma.Param{idParam("The purchase's id", "4294967297")}, body: reflect.TypeFor[returnRequest](),
		examples: []example{
			{"restock", "The pair is as new, and goes on sale again", `{"restock":true,"reason":"wrong size"}`},
			{"write-off", "The pair was worn", `{"restock":false,"reason":"worn"}`},
		},
		answer: reflect.TypeFor[purchaseAnswer](),
		answerExample: `{"id":4294967297,"dropId":1,"userId":3,"reservationId":4294967297,"price":119.99,"createdAt":"2026-01-31T10:00:02.345Z",` +
			`"returned":"restocked","returnedAt":"2026-02-03T12:00:00.000Z"}`,
		codes: []drop.Code{drop.CodePurchaseNotFound, drop.CodeAlreadyReturned, codeOverloaded},
	}}
}

func (a *api) returnPurchase(w http.ResponseWriter, r *http.Request) error {
	n, err := pathNumber(r)
	if err != nil {
		return err
	}
	id := drop.PurchaseID(n)
	concerns(w, id.Drop())
	in, retry, err := asked[returnRequest](w, r)
	if err != nil {
		return err
	}
	restock, err := required("restock", in.Restock)
	if err != nil {
		return err
	}
	if err := drop.CheckReason(optional(in.Reason)); err != nil {
		return err
	}
	p, err := a.engine.Return(r.Context(), drop.ReturnPurchase{Purchase: id, Restock: restock}, retry)
	if err != nil {
		return err
	}
	answer := answerPurchase(&p)
	if answer.Payment, err = a.paymentOf(r.Context(), p.ReservationID); err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

func answerPurchase(p *drop.Purchase) *purchaseAnswer {
	return &purchaseAnswer{
		ID: p.ID, DropID: p.ReservationID.Drop(), UserID: p.UserID, ReservationID: p.ReservationID,
		Price: price(p.Price), Size: p.Size, CreatedAt: instant(p.CreatedAt), Returned: returned(p.Return), ReturnedAt: instant(p.ReturnedAt),
	}
}

// returned is empty while the buyer has the unit.
func returned(r drop.Return) string {
	if r == drop.NotReturned {
		return ""
	}
	return r.String()
}
