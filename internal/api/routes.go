package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// route is one operation: how clients reach it, which handler serves it, and what the OpenAPI document says about it.
type route struct {
	method, path string
	serve        func(http.ResponseWriter, *http.Request) error

	id, tag, summary, text string
	params                 []*huma.Param
	body                   reflect.Type // nil: none
	bodyOptional           bool
	maxBody                int64          // in bytes (default: the constant of that name)
	examples               []example      // bodies that work unchanged with the sample data
	answer                 reflect.Type   // nil: not JSON of ours
	media                  string         // types of the answer besides JSON, or instead of it
	mediaExample           string         // examples of these types: a string, or the JSON data of one event
	events                 []reflect.Type // for a stream: the type of its data
	workbook               bool           // the answer also comes as a workbook (format=xlsx)
	answerExample          string
	status                 int         // of the answer (default: 200)
	codes                  []drop.Code // its own refusals; describe adds those of every operation

	repeatable bool // a POST that needs no Idempotency-Key

	access   access
	operator bool   // each call goes into the operators' log
	streams  bool   // sets its own time limit
	long     bool   // its answer may be long, so it is compressed for clients that accept it
	tagged   bool   // its answer has an ETag
	security string // the kind of token in the document; empty: none
}

type example struct{ name, summary, body string }

// The groups of operations, in the document's order.
const (
	tagDrops     = "Drops"
	tagBuying    = "Buying"
	tagBuyers    = "Buyers"
	tagOperating = "Operating"
	tagService   = "Service"
)

const (
	dropsPath       = "/api/drops"
	ensureUserID    = "ensure-user"
	listPurchasesID = "list-purchases"
	createDropID    = "create-drop"
	setPageID       = "set-drop-page"
	purchaseID      = "purchase"
)

const (
	exampleDrop = `{"id":1,"name":"Air Zenith 1","price":119.99,"total_stock":50,"available_stock":48,` +
		`"start_time":"2026-01-31T10:00:00.000Z","image_url":null,"limit_per_user":2,"paused":false,"version":7,` +
		`"sizes":[{"size":"9.5","total_stock":50,"available_stock":48}],` +
		`"purchases":[{"id":4294967297,"username":"ann","createdAt":"2026-01-31T10:00:02.345Z"}],` +
		`"Purchases":[{"id":4294967297,"createdAt":"2026-01-31T10:00:02.345Z","userName":"ann","user_name":"ann",` +
		`"User":{"username":"ann"}}]}`
	exampleReservation = `{"id":4294967297,"dropId":1,"userId":3,"status":"active",` +
		`"expires_at":"2026-01-31T10:01:00.120Z","createdAt":"2026-01-31T10:00:00.120Z"}`
	exampleCancelled = `{"id":4294967297,"dropId":1,"userId":3,"status":"cancelled",` +
		`"expires_at":"2026-01-31T10:01:00.120Z","createdAt":"2026-01-31T10:00:00.120Z"}`
	examplePurchase = `{"message":"Purchase successful","purchase":{"id":4294967297,"dropId":1,"userId":3,` +
		`"reservationId":4294967297,"price":119.99,"createdAt":"2026-01-31T10:00:02.345Z"}}`
	exampleReservationID = `{"reservationId":4294967297}`
)

func (a *api) routes() []route {
	return slices.Concat(a.dropRoutes(), a.eventRoutes(), a.buyingRoutes(), a.waitlistRoutes(), a.drawRoutes(), a.drawRecordRoutes(), a.codeRoutes(), a.buyerRoutes(), a.operatorRoutes(), a.pageRoutes(), a.bookRoutes(), a.returnRoutes(), a.paymentRoutes(), a.shopRoutes(), a.salesRoutes(),
		a.feedRoutes(), a.webhookRoutes(), a.tokenRoutes(), a.serviceRoutes())
}

func (a *api) dropRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: dropsPath, serve: a.listDrops,
			id: "list-drops", access: anybody, tag: tagDrops, summary: "List all drops",
			text: "All public drops in ascending order of id, with the current stock. The answer has an ETag. Send it back as If-None-Match " +
				"to get 304 without a body while nothing has changed.",
			tagged: true,
			answer: reflect.TypeFor[[]dropAnswer](), answerExample: "[" + exampleDrop + "]",
		},
		{
			method: http.MethodPost, path: dropsPath + "/create", serve: a.createDrop,
			id: createDropID, access: operators, tag: tagDrops, summary: "Create a drop",
			text: "Creates a drop with total_stock units, or with sizes that have their own units. With draw, buyers enter until draw.closes, and a draw decides who may buy.",
			body: reflect.TypeFor[createRequest](),
			examples: []example{
				{"plain", "A drop without sizes", `{"name":"Air Zenith 1","price":119.99,"total_stock":50,"start_time":"2026-01-31T10:00:00.000Z"}`},
				{"sized", "A drop with sizes, at most two pairs per buyer", `{"name":"Court Runner","price":90,"start_time":"2026-01-31T10:00:00+01:00",` +
					`"image_url":"https://shop.example/court-runner.jpg","sizes":[{"size":"9","stock":20},{"size":9.5,"stock":30}],"limit_per_user":2}`},
				{"drawn", "A drop whose buyers a draw decides, with a public beacon", `{"name":"Air Zenith 2","price":149,"total_stock":50,` +
					`"draw":{"opens":"2026-01-31T10:00:00Z","closes":"2026-02-01T10:00:00Z","pay_within":3600,"beacon":"quicknet","round":26000000}}`},
			},
			answer: reflect.TypeFor[dropAnswer](), answerExample: exampleDrop, operator: true,
		},
		{
			method: http.MethodGet, path: dropsPath + "/{id}", serve: a.getDrop,
			id: "get-drop", access: anybody, tag: tagDrops, summary: "Read one drop", text: "The last committed state of the drop. Hidden and archived drops are readable too.",
			tagged: true,
			params: []*huma.Param{idParam("The drop's id", "1")},
			answer: reflect.TypeFor[dropAnswer](), answerExample: exampleDrop,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
	}
}

func (a *api) buyingRoutes() []route {
	return []route{
		{
			method: http.MethodPost, path: dropsPath + "/reserve", serve: a.reserve,
			id: "reserve", access: buyers, tag: tagBuying, summary: "Reserve one unit",
			text: "Holds one unit until expires_at. Then the hold ends and the unit is available again. " +
				"While others wait for the size on the drop's waitlist, units go to them. " +
				"If the limit is 1 and the buyer already holds a unit, the answer is the same reservation. " +
				"While early access is open, a buyer with a code or on a list can reserve before start_time.",
			body: reflect.TypeFor[reserveRequest](),
			examples: []example{
				{"numbered", "A buyer by the shop's own number", `{"dropId":1,"userId":3}`},
				{"named", "A buyer by email and name, with a size", `{"dropId":2,"userName":"Ann","email":"ann@example.com","size":9.5}`},
			},
			answer: reflect.TypeFor[reservationAnswer](), answerExample: exampleReservation,
			codes: []drop.Code{
				drop.CodeDropNotFound, drop.CodeSizeRequired, drop.CodeSizeNotFound, drop.CodeOutOfStock, drop.CodeNotStarted,
				drop.CodePaused, drop.CodeArchived, drop.CodeWaitlist, drop.CodeDrawOpen, drop.CodeDrawClosed, drop.CodeLimitReached, drop.CodeCooldown, drop.CodeExhausted,
				drop.CodeCodeRequired, drop.CodeCodeInvalid, codeOverloaded,
			},
		},
		a.purchaseRoute(),
		{
			method: http.MethodPost, path: dropsPath + "/cancel", serve: a.cancel,
			id: "cancel", access: buyers, tag: tagBuying, summary: "Release a reserved unit",
			text: "The unit is available again at once, or goes to the first on the waitlist. A repeated call, or one for an expired reservation, changes nothing.",
			body: reflect.TypeFor[reservationRequest](),
			examples: []example{
				{"cancel", "The reservation from the answer to reserve", exampleReservationID},
			},
			answer: reflect.TypeFor[reservationAnswer](), answerExample: exampleCancelled,
			codes: a.paying([]drop.Code{drop.CodeReservationNotFound, drop.CodeAlreadyPurchased, codeOverloaded}, drop.CodePaymentPending),
		},
	}
}

func (a *api) purchaseRoute() route {
	rt := route{
		method: http.MethodPost, path: dropsPath + "/purchase", serve: a.purchase,
		id: purchaseID, access: buyers, tag: tagBuying, summary: "Buy a reserved unit",
		text: "Completes an active reservation. A repeated call returns the same purchase: there is only one.",
		body: reflect.TypeFor[reservationRequest](),
		examples: []example{
			{"purchase", "The reservation from the answer to reserve", exampleReservationID},
		},
		answer: reflect.TypeFor[purchasedAnswer](), answerExample: examplePurchase,
		codes: a.paying([]drop.Code{
			drop.CodeReservationNotFound, drop.CodeReservationExpired, drop.CodeReservationCancelled, codeOverloaded,
		}, drop.CodePaymentRequired, drop.CodePaymentPending),
	}
	if a.checkout != nil {
		rt.access = sellers
		rt.text += " Buyers pay with POST /api/drops/checkout: for a unit that is not sold yet this call refuses them. " +
			"With an operator's token it records a sale that was paid for elsewhere."
	}
	return rt
}

func (a *api) buyerRoutes() []route {
	routes := []route{
		{
			method: http.MethodPost, path: "/api/users", serve: a.ensureUser,
			id: ensureUserID, access: operators, tag: tagBuyers, summary: "Find or create a buyer",
			operator: a.identity != nil, // without identity, any client may call it, like a reserve by name
			text:     "Finds the buyer by email or, without an email, by username. Creates one if there is none.",
			body:     reflect.TypeFor[userRequest](),
			examples: []example{
				{"user", "A buyer with an email", `{"username":"Ann","email":"ann@example.com"}`},
			},
			answer: reflect.TypeFor[userAnswer](), answerExample: `{"id":1099511627776,"username":"Ann"}`,
		},
		{
			method: http.MethodGet, path: "/api/users/{id}/reservations", serve: a.userReservations, long: true,
			id: "list-reservations", access: buyers, tag: tagBuyers, summary: "List a buyer's reservations", text: "Reservations in all drops, newest first.",
			params: []*huma.Param{idParam("The buyer's id", "3"), limitParam(maxReservations)},
			answer: reflect.TypeFor[[]reservationAnswer](), answerExample: "[" + exampleReservation + "]",
			codes: []drop.Code{drop.CodeInvalid, drop.CodeUserNotFound},
		},
	}
	if a.identity == nil {
		return routes
	}
	return append(routes, route{
		method: http.MethodGet, path: "/api/users/me", serve: a.me,
		id: "me", access: buyers, tag: tagBuyers, summary: "Read who you are", text: "The buyer that the token identifies.",
		answer: reflect.TypeFor[meAnswer](), answerExample: `{"id":1099511627776,"username":"Ann Smith","email":"ann@example.com"}`,
		codes: []drop.Code{codeOverloaded},
	})
}

func (a *api) operatorRoutes() []route {
	answer, drops := reflect.TypeFor[dropAnswer](), []*huma.Param{idParam("The drop's id", "1")}
	return []route{
		{
			method: http.MethodPatch, path: dropsPath + "/{id}", serve: a.editDrop, operator: true,
			id: "edit-drop", access: operators, tag: tagOperating, summary: "Change a drop",
			text: "Changes the members in the body, all or none of them, and keeps the rest. An empty object changes nothing. " +
				"What can no longer be changed gets the error fixed. Returns the drop right after the change.",
			params: drops, body: reflect.TypeFor[editRequest](),
			examples: []example{
				{"texts", "Another name, no image, at most three pairs per buyer", `{"name":"Air Zenith 1 Retro","image_url":null,"limit_per_user":3}`},
				{"hide", "Remove it from the list", `{"hidden":true}`},
			},
			answer: answer, answerExample: exampleDrop, codes: []drop.Code{drop.CodeDropNotFound, drop.CodeFixed, codeOverloaded},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/restock", serve: a.restock, operator: true,
			id: "restock", access: operators, tag: tagOperating, summary: "Add units, or remove unsold ones",
			text:   "Held and sold units stay. Returns the drop right after the change.",
			params: drops, body: reflect.TypeFor[restockRequest](),
			examples: []example{{"add", "Add ten units", `{"add":10}`}, {"take", "Remove one unit", `{"add":-1}`}},
			answer:   answer, answerExample: exampleDrop,
			codes: []drop.Code{
				drop.CodeDropNotFound, drop.CodeSizeRequired, drop.CodeSizeNotFound, drop.CodeStockInUse, codeOverloaded,
			},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/pause", serve: a.pause, operator: true,
			id: "pause", access: operators, tag: tagOperating, summary: "Pause sales",
			text: "Nobody can reserve until you resume the drop. Buyers can still purchase active reservations. A repeated call changes nothing. " +
				"Returns the drop right after the change.",
			params: drops, body: reflect.TypeFor[emptyRequest](), bodyOptional: true, examples: []example{{"pause", "An empty object", `{}`}},
			answer: answer, answerExample: exampleDrop, codes: []drop.Code{drop.CodeDropNotFound, codeOverloaded},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/resume", serve: a.resume, operator: true,
			id: "resume", access: operators, tag: tagOperating, summary: "Resume sales",
			text:   "A repeated call changes nothing. Returns the drop right after the change.",
			params: drops, body: reflect.TypeFor[emptyRequest](), bodyOptional: true, examples: []example{{"resume", "An empty object", `{}`}},
			answer: answer, answerExample: exampleDrop, codes: []drop.Code{drop.CodeDropNotFound, codeOverloaded},
		},
	}
}

func (a *api) bookRoutes() []route {
	routes := []route{
		{
			method: http.MethodGet, path: dropsPath + "/{id}/purchases", serve: a.listPurchases, operator: true, streams: true, long: true,
			id: listPurchasesID, access: viewers, tag: tagOperating, summary: "List a drop's purchases for fulfillment",
			text: "Purchases with their buyers, in ascending order of id. With order=newest the order is descending, and you can search with q. " +
				"from, to and size filter the list, in files too. A search that takes longer than a second returns what it has found so far, and next. " +
				"As CSV (Accept: text/csv, or format=csv) one answer has all purchases after that id, or limit of them. A cell that a spreadsheet " +
				"would read as a formula begins with an apostrophe. An Excel workbook (format=xlsx, or its media type in Accept) has the same rows. " +
				"There price is a number, and createdAt and returnedAt are times in UTC; all other cells are text.",
			params: slices.Concat(pageParams("id of the purchase"), newestParams(), betweenParams("purchases"), []*huma.Param{sizeParam()},
				fileParams(formatJSON, formatCSV, formatXLSX)),
			answer: reflect.TypeFor[purchasesAnswer](), media: "text/csv", workbook: true,
			mediaExample: `"id,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt\r\n4294967297,4294967297,1099511627776,Ann,ann@example.com,9.5,119.99,2026-01-31T10:00:02.345Z,,\r\n"`,
			answerExample: `{"purchases":[{"id":4294967297,"reservationId":4294967297,"userId":1099511627776,"username":"Ann",` +
				`"email":"ann@example.com","size":"9.5","price":119.99,"createdAt":"2026-01-31T10:00:02.345Z"}],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
		{
			method: http.MethodGet, path: dropsPath + "/{id}/ledger", serve: a.listLedger, operator: true, long: true,
			id: "list-ledger", access: viewers, tag: tagOperating, summary: "List the stock movements of a drop",
			text:   "One entry per commit, reason and size, in ascending order of seq.",
			params: pageParams("seq of the entry"), answer: reflect.TypeFor[ledgerAnswer](),
			answerExample: `{"entries":[{"seq":1,"at":"2026-01-31T09:00:00.000Z","reason":"created","size":null,"units":50,"available":50},` +
				`{"seq":2,"at":"2026-01-31T10:00:00.120Z","reason":"reserved","size":null,"units":2,"available":48}],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
	}
	return append(routes, slices.Concat(a.controlRoutes(), a.rehearsalRoutes())...)
}

// controlRoutes are the control room's calls that change nothing.
func (a *api) controlRoutes() []route {
	routes := []route{{
		method: http.MethodGet, path: "/api/operator/figures", serve: a.showFigures, long: true,
		id: "figures", access: viewers, tag: tagOperating, summary: "Read the figures of all drops and of the service",
		text:   "Answered from memory, so you may ask every second. The operators' log leaves this call out.",
		answer: reflect.TypeFor[figuresAnswer](),
		answerExample: `{"at":"2026-01-31T10:00:02.000Z","drops":[{"id":1,"name":"Air Zenith 1","price":119.99,"start_time":"2026-01-31T10:00:00.000Z",` +
			`"image_url":null,"limit_per_user":2,"max_expired_holds":null,"paused":false,"hidden":false,"archived":false,"rehearsal":false,"version":7,` +
			`"total":50,"available":46,"held":2,"sold":2,"returned":0,"waitlist":true,"offer_for":600,"max_waiting":10000,"offers_count":false,"waiting":0,"sizes":[]}],"service":{"watchers":{"websocket":120,"polling":3,"streams":0},"queued":0,` +
			`"refusals":[{"code":"out_of_stock","count":17}],"holds":{"paid":2,"released":1,"expired":1},"timings":[{"of":"reserve","count":21,"seconds":[0.001,0.002],"within":[12,21]}]}}`,
	}}
	if a.audit == nil {
		return routes
	}
	return append(routes, route{
		method: http.MethodGet, path: dropsPath + "/{id}/audit", serve: a.auditDrop, operator: true, streams: true, long: true,
		id: "audit", access: operators, tag: tagOperating, summary: "Audit a drop",
		text:   "Compares the ledger with the counters, reservations, purchases and the waitlist, all as of one moment. Only one audit runs at a time. A million reservations take a second or two.",
		params: []*huma.Param{idParam("The drop's id", "1")}, answer: reflect.TypeFor[auditAnswer](),
		answerExample: `{"dropId":1,"clean":true,"reservations":4,"purchases":2,"ledger_entries":6,"waitlist_entries":0,"waiting":0,"held":1,"paying":0,"written_off":0,"kept":0,"passes":0,"uses":0,"kept_early":0,"payments":0,"money":[],"differences":0,"sentences":[]}`,
		codes:         []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, codeOverloaded},
	})
}

func pageParams(of string) []*huma.Param {
	return []*huma.Param{idParam("The drop's id", "1"), afterParam(of), limitParam(maxPage)}
}

// newestParams are those of the newest purchases.
func newestParams() []*huma.Param {
	longest := maxSearch
	return []*huma.Param{
		{
			Name: "order", In: "query", Description: "newest: in descending order of id, as JSON only",
			Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"oldest", "newest"}, Default: "oldest"},
		},
		beforeParam("With order=newest: only purchases with a lower id"),
		{
			Name: "q", In: "query",
			Description: "With order=newest: only purchases whose buyer's name or email contains each of these words. A number finds the purchase, receipt " +
				"(7-12 is number 12 of drop 7), reservation or buyer with that number. Letter case does not matter",
			Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		},
	}
}

const metricsID = "metrics"

func (a *api) serviceRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/health", serve: a.health,
			id: "health", access: anybody, tag: tagService, summary: "Check that the server answers", text: "Does not query the database.",
			answer: reflect.TypeFor[healthAnswer](), answerExample: `{"status":"ok","timestamp":"2026-01-31T10:00:00.000Z"}`,
		},
		{
			method: http.MethodGet, path: "/livez", serve: a.live,
			id: "livez", access: anybody, tag: tagService, summary: "Check that the process runs", text: "Always 200 while the process runs.",
			answer: reflect.TypeFor[statusAnswer](), answerExample: `{"status":"ok"}`,
		},
		{
			method: http.MethodGet, path: "/readyz", serve: a.ready,
			id: "readyz", access: anybody, tag: tagService, summary: "Check that the server is ready",
			text:   fmt.Sprintf("Queries the database, for at most %d seconds.", int(readyTimeout.Seconds())),
			answer: reflect.TypeFor[readyAnswer](), answerExample: `{"status":"ready","bus":"connected"}`, codes: []drop.Code{codeNotReady},
		},
		{
			method: http.MethodGet, path: "/metrics", serve: a.showMetrics(),
			id: metricsID, access: viewers, tag: tagService, summary: "Read the metrics", text: "For Prometheus, in the format that its Accept header requests.",
			media: "text/plain", mediaExample: `"# TYPE sneakerdrop_rate_limited_total counter\nsneakerdrop_rate_limited_total{caller=\"address\",class=\"buy\"} 0\n"`,
		},
	}
}

func idParam(description, example string) *huma.Param {
	return &huma.Param{
		Name: "id", In: "path", Required: true, Description: description,
		Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(1.0)}, Example: jsonText(example),
	}
}
