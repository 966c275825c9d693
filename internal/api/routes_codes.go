package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const (
	addCodesID = "add-codes"

	exampleAccess = `{"access":1,"kind":"codes","name":"Newsletter","starts":"2026-01-31T09:00:00.000Z","ends":"2026-01-31T10:00:00.000Z",` +
		`"uses":1,"units":10,"kept":9,"passes":2,"used":1,"state":"open"}`
)

func (a *api) codeRoutes() []route {
	drops := []*huma.Param{idParam("The drop's id", "1")}
	return []route{
		{
			method: http.MethodGet, path: dropsPath + "/{id}/codes", serve: a.listCodes, operator: true,
			id: "list-codes", access: viewers, tag: tagOperating, summary: "List the early access to a drop",
			text: "With its terms and how much it is used. No call shows codes or who is on a list.", params: drops,
			answer: reflect.TypeFor[accessesAnswer](), answerExample: `{"accesses":[` + exampleAccess + `]}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/codes", serve: a.addCodes, operator: true, maxBody: maxCodesBody, status: http.StatusCreated,
			id: addCodesID, access: operators, tag: tagOperating, summary: "Let buyers in early, by codes or a list",
			text: "Makes an early access with your own codes, with codes that the server makes, or with a list of buyers. With access, it adds more of the " +
				"same kind to one that is not over. A buyer who is on the list twice is on it once. A repeated call with the same Idempotency-Key " +
				"returns no codes. The body has at most 2 MiB.",
			params: drops, body: reflect.TypeFor[codesRequest](),
			examples: []example{
				{"made", "A hundred codes for one pair each, from now until the drop starts", `{"name":"Newsletter","count":100,"units":1,"ends":"9998-01-31T10:00:00Z"}`},
				{"own", "Your own code for ten pairs", `{"codes":["FRIENDS-2026"],"uses":10,"per_buyer":1,"ends":"9998-01-31T10:00:00Z"}`},
				{"list", "A list of buyers: a number and an email", `{"list":"buyer\n3\nann@example.com\n","ends":"9998-01-31T10:00:00Z"}`},
			},
			answer: reflect.TypeFor[newAccessAnswer](), answerExample: `{"access":` + exampleAccess + `,"codes":["7Q2K-9D4W-MX3C","T5HV-0N8A-1RGZ"]}`,
			codes: []drop.Code{
				drop.CodeDropNotFound, drop.CodeAccessNotFound, drop.CodeSizeNotFound, drop.CodeStockInUse, drop.CodeLimitReached, drop.CodeFixed,
				drop.CodeArchived, codeOverloaded,
			},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/codes/end", serve: a.endCodes, operator: true,
			id: "end-codes", access: operators, tag: tagOperating, summary: "End an early access now",
			text: "What is kept for it goes to those who wait, or on sale. Buyers keep what they hold. A repeated call changes nothing.", params: drops,
			body:     reflect.TypeFor[endAccessRequest](),
			examples: []example{{"end", "The first early access", `{"access":1}`}},
			answer:   reflect.TypeFor[oneAccessAnswer](), answerExample: `{"access":` + exampleAccess + `}`,
			codes: []drop.Code{drop.CodeDropNotFound, drop.CodeAccessNotFound, codeOverloaded},
		},
	}
}
