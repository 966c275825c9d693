package api

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const (
	listAllPurchasesID = "list-all-purchases"
	allPurchasesPath   = "/api/operator/purchases"
	listBuyersID       = "list-buyers"
	getBuyerID         = "get-buyer"
	createTokenID      = "create-token"
	revokeTokenID      = "revoke-token"
)

// shopRoutes are operators' calls about the whole shop.
func (a *api) shopRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: allPurchasesPath, serve: a.listAllPurchases, operator: true, streams: true, long: true,
			id: listAllPurchasesID, access: viewers, tag: tagOperating, summary: "List the purchases of all drops",
			text: "Newest first, without rehearsals unless drop names one. q, drop, size, from and to filter the list. A search that takes " +
				"longer than a second returns what it has found so far, and next. As CSV (Accept: text/csv, or format=csv) one answer has all of them, " +
				"or limit of them. A cell that a spreadsheet would read as a formula begins with an apostrophe.",
			params: slices.Concat([]*huma.Param{
				{Name: "q", In: "query", Description: "The same search as in the list of one drop's purchases", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxSearch)}},
				dropParam(), sizeParam(),
			}, betweenParams("purchases"), []*huma.Param{
				{Name: "before", In: "query", Description: "The value of next from the previous page", Schema: &huma.Schema{Type: huma.TypeString}},
				limitParam(maxPage),
			}, fileParams(formatJSON, formatCSV)),
			answer: reflect.TypeFor[allPurchasesAnswer](), media: "text/csv",
			mediaExample: `"id,dropId,dropName,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt\r\n4294967297,1,Air Zenith 1,4294967297,1099511627776,` +
				`Ann,ann@example.com,9.5,119.99,2026-01-31T10:00:02.345Z,,\r\n"`,
			answerExample: `{"purchases":[{"id":4294967297,"dropId":1,"dropName":"Air Zenith 1","reservationId":4294967297,"userId":1099511627776,"username":"Ann",` +
				`"email":"ann@example.com","size":"9.5","price":119.99,"createdAt":"2026-01-31T10:00:02.345Z"}],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
		{
			method: http.MethodGet, path: "/api/operator/buyers", serve: a.listBuyers, operator: true, long: true,
			id: listBuyersID, access: viewers, tag: tagOperating, summary: "Find buyers",
			text: "In descending order of id. q matches a part of a name or email, or a whole id. A search that takes longer than a second " +
				"returns what it has found so far, and next.",
			params: []*huma.Param{
				{Name: "q", In: "query", Description: "Words that the name or email must contain, or the buyer's id. Letter case does not matter", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxSearch)}},
				beforeParam("The value of next from the previous page"), limitParam(maxPage),
			},
			answer:        reflect.TypeFor[buyersAnswer](),
			answerExample: `{"buyers":[{"id":1099511627776,"username":"Ann","email":"ann@example.com"}],"next":null}`,
			codes:         []drop.Code{drop.CodeInvalid},
		},
		{
			method: http.MethodGet, path: "/api/operator/buyers/{id}", serve: a.showBuyer, operator: true, long: true,
			id: getBuyerID, access: viewers, tag: tagOperating, summary: "Read a buyer's reservations and purchases", text: "In all drops, newest first.",
			params: []*huma.Param{idParam("The buyer's number", "3"), limitParam(maxReservations)},
			answer: reflect.TypeFor[buyerHistoryAnswer](),
			answerExample: `{"id":1099511627776,"username":"Ann","email":"ann@example.com","reservations":[{"id":4294967297,"dropId":1,"dropName":"Air Zenith 1",` +
				`"size":"9.5","status":"completed","createdAt":"2026-01-31T10:00:00.120Z","expires_at":"2026-01-31T10:01:00.120Z",` +
				`"purchase":{"id":4294967297,"price":119.99,"createdAt":"2026-01-31T10:00:02.345Z"}}],"more":false}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeUserNotFound},
		},
		{
			method: http.MethodGet, path: "/api/operator/settings", serve: a.showSettings, long: true,
			id: "settings", access: viewers, tag: tagOperating, summary: "Read the settings in force and the version",
			text:   "Secrets are never shown. The operators' log leaves this call out.",
			answer: reflect.TypeFor[settingsAnswer](),
			answerExample: `{"version":"1.4.0","commit":null,"go":"go1.26.0","started":"2026-01-31T09:00:00.000Z","database":{"engine":"SQLite","version":"3.51.0",` +
				`"warnings":[]},"bus":"none","sign_in":false,"settings":[{"name":"hold","value":"60s","source":"default","from":null,"secret":false,` +
				`"help":"How long a reservation keeps its unit, from 100ms to 24h."}]}`,
		},
	}
}

// tokenRoutes are the calls about operators' tokens and the operators' log, for shops with sign-in.
func (a *api) tokenRoutes() []route {
	if a.identity == nil {
		return nil
	}
	const token = `{"id":7,"name":"Ann's laptop","role":"viewer","state":"valid","createdAt":"2026-01-31T09:00:00.000Z","expires_at":"2026-05-01T09:00:00.000Z",` +
		`"revoked_at":null}`
	path := "/api/operator/tokens"
	return []route{
		{
			method: http.MethodGet, path: "/api/operator/log", serve: a.listActions, long: true,
			id: "list-actions", access: viewers, tag: tagOperating, summary: "Read the operators' log",
			text: "Calls with an operator's or viewer's token, newest first, except metrics, figures, sales, payments, events, webhooks and their attempts, rehearsals' progress, settings and this list. Entries are never " +
				"changed or removed. The parameters filter the list. A search that takes longer than a second returns what it has found so far, and next.",
			params: slices.Concat([]*huma.Param{
				{Name: "actor", In: "query", Description: "Only entries whose actor's name contains this text, or of the token with this id", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxActor)}},
				{Name: "call", In: "query", Description: "Only this operation, spelled with dashes as in an entry", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxActor)}, Example: "restock"},
				dropParam(),
				{
					Name: "outcome", In: "query", Description: "ok: it was done. refused: it was not. unknown: the server stopped before it knew",
					Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"ok", "refused", "unknown"}},
				},
			}, betweenParams("entries"), []*huma.Param{beforeParam("Only entries with a lower id"), limitParam(maxPage)}),
			answer: reflect.TypeFor[actionsAnswer](),
			answerExample: `{"actions":[{"id":7,"at":"2026-01-31T09:59:00.000Z","token":1,"name":"Ann's laptop","role":"operator",` +
				`"call":"restock","dropId":1,"detail":"{\"add\":10}","from":"203.0.113.7","request":"b3KQ","outcome":"ok"}],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid},
		},
		{
			method: http.MethodGet, path: path, serve: a.listTokens, operator: true, long: true,
			id: "list-tokens", access: viewers, tag: tagOperating, summary: "List the operators' tokens", text: "The list has no secrets: the server does not store them.",
			answer: reflect.TypeFor[tokensAnswer](), answerExample: `{"tokens":[` + token + `],"me":1}`,
		},
		{
			method: http.MethodPost, path: path, serve: a.createToken, operator: true,
			id: createTokenID, access: operators, tag: tagOperating, summary: "Create a token for an operator or a viewer",
			text: "Shows the secret only once. A token cannot do more, or last longer, than the token that creates it. With the same Idempotency-Key " +
				"a server returns the same token for ten minutes; another server creates another one.",
			body: reflect.TypeFor[tokenRequest](),
			examples: []example{
				{"viewer", "A read-only token for 90 days", `{"name":"Ann's laptop","role":"viewer"}`},
				{"operator", "A token with full rights that never expires", `{"name":"Fulfilment","role":"operator","expires_at":null}`},
			},
			answer: reflect.TypeFor[newTokenAnswer](), answerExample: `{"token":` + token + `,"secret":"sdo_4pY0"}`,
		},
		{
			method: http.MethodPost, path: path + "/{token}/revoke", serve: a.revokeToken, operator: true,
			id: revokeTokenID, access: operators, tag: tagOperating, summary: "Revoke a token",
			text:   "The token stops working at once. A repeated call changes nothing.",
			params: []*huma.Param{numberParam("token", "The token's id", "1")}, body: reflect.TypeFor[emptyRequest](), bodyOptional: true,
			examples: []example{{"revoke", "An empty object", `{}`}},
			answer:   reflect.TypeFor[tokenAnswer](), answerExample: token, codes: []drop.Code{drop.CodeTokenNotFound},
		},
	}
}

func dropParam() *huma.Param {
	return &huma.Param{
		Name: "drop", In: "query", Description: "Only this drop, by its id",
		Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(1.0), Maximum: new(float64(drop.MaxID))},
	}
}

func numberParam(name, description, example string) *huma.Param {
	p := idParam(description, example)
	p.Name = name
	return p
}
