package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const (
	webhooksPath    = "/api/webhooks"
	createWebhookID = "create-webhook"
	rotateWebhookID = "rotate-webhook"
	replayWebhookID = "replay-webhook"
	testWebhookID   = "test-webhook"
)

const (
	exampleWebhook = `"id":1,"url":"https://shop.example/hooks/fulfilment","description":"Fulfilment","types":["purchase.completed"],"drops":[],` +
		`"status":"active","disabled_reason":null,"disabled_at":null,"createdAt":"2026-01-31T09:00:00.000Z","old_secret_until":null,"failing_since":null,` +
		`"next_attempt_at":null,"last_success_at":"2026-01-31T10:00:02.512Z","lag":{"events":0,"seconds":0}`
	exampleSecret  = `"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"`
	exampleAttempt = `{"at":"2026-01-31T10:00:02.401Z","event":"1-3","type":"purchase.completed","attempt":1,"outcome":"delivered","status":204,` +
		`"took_ms":12,"answer":null,"error":null,"next_attempt_at":null}`
	exampleTest = `{"at":"2026-01-31T10:00:02.401Z","event":null,"type":"webhook.test","attempt":1,"outcome":"delivered","status":200,` +
		`"took_ms":12,"answer":"ok","error":null,"next_attempt_at":null}`
)

// webhookRoutes are the calls about endpoints of the shop's other systems.
func (a *api) webhookRoutes() []route {
	if a.endpoints == nil {
		return nil
	}
	webhook, params := "{"+exampleWebhook+"}", []*huma.Param{idParam("The webhook's id", "1")}
	rotate, test, enable, disable := a.webhookChanges()
	return []route{
		{
			method: http.MethodGet, path: webhooksPath, serve: a.listWebhooks, long: true,
			id: "list-webhooks", access: viewers, tag: tagOperating, summary: "List the webhooks",
			text:   "Receivers of events, with how deliveries go. The list has no secrets. The operators' log leaves this call out.",
			answer: reflect.TypeFor[webhooksAnswer](), answerExample: `{"webhooks":[` + webhook + `]}`,
		},
		{
			method: http.MethodPost, path: webhooksPath, serve: a.createWebhook, operator: true,
			id: createWebhookID, access: operators, tag: tagOperating, summary: "Create a webhook",
			text: "Events that happen from now on are sent to the address, signed as Standard Webhooks 1.0 describes. Shows the secret only once. There can " +
				"be 100 webhooks. A retry under the same Idempotency-Key gets the same webhook with its secret for ten minutes; another server creates " +
				"another one.",
			body: reflect.TypeFor[webhookRequest](),
			examples: []example{
				{"all", "All events of all drops", `{"url":"https://shop.example/hooks/crm"}`},
				{"purchases", "Purchases of one drop", `{"url":"https://shop.example/hooks/fulfilment","types":["purchase.completed"],"drops":[1],"description":"Fulfilment"}`},
			},
			answer: reflect.TypeFor[webhookAnswer](), answerExample: "{" + exampleWebhook + "," + exampleSecret + "}",
		},
		{
			method: http.MethodDelete, path: webhooksPath + "/{id}", serve: a.deleteWebhook, operator: true,
			id: "delete-webhook", access: operators, tag: tagOperating, summary: "Delete a webhook", text: "Returns it as it was.", params: params,
			answer: reflect.TypeFor[webhookAnswer](), answerExample: webhook, codes: []drop.Code{drop.CodeInvalid, drop.CodeWebhookNotFound},
		},
		rotate, test,
		{
			method: http.MethodPost, path: webhooksPath + "/{id}/replay", serve: a.replayWebhook, operator: true,
			id: replayWebhookID, access: operators, tag: tagOperating, summary: "Send events again",
			text: "Sends the events of a drop with these numbers (seq) again, under the same ids, beside what is delivered as usual. At most 10 replays " +
				"wait for a webhook.",
			params: params, body: reflect.TypeFor[replayRequest](),
			examples: []example{
				{"all", "Everything since the first event", `{"dropId":1,"from":1}`},
				{"range", "The first two events", `{"dropId":1,"from":1,"to":2}`},
			},
			answer: reflect.TypeFor[replayAnswer](), answerExample: `{"dropId":1,"from":1,"to":99}`, codes: []drop.Code{drop.CodeWebhookNotFound},
		},
		enable, disable,
		{
			method: http.MethodGet, path: webhooksPath + "/{id}/attempts", serve: a.listAttempts, long: true,
			id: "list-attempts", access: viewers, tag: tagOperating, summary: "List the last attempts to deliver to a webhook",
			text: "A server adds attempts to the list once a second. The operators' log leaves this call out.", params: params,
			answer: reflect.TypeFor[attemptsAnswer](), answerExample: `{"attempts":[` + exampleAttempt + `]}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeWebhookNotFound},
		},
	}
}

// webhookChanges are the calls about one webhook that need nothing but its id.
func (a *api) webhookChanges() (rotate, test, enable, disable route) {
	webhook, none := "{"+exampleWebhook+"}", []example{{"empty", "An empty object", `{}`}}
	params := []*huma.Param{idParam("The webhook's id", "1")}
	change := func(verb, id, summary, text string) route {
		return route{
			method: http.MethodPost, path: webhooksPath + "/{id}/" + verb, operator: true, id: id, access: operators, tag: tagOperating,
			summary: summary, text: text, params: params, body: reflect.TypeFor[emptyRequest](), bodyOptional: true, examples: none,
			answer: reflect.TypeFor[webhookAnswer](), answerExample: webhook, codes: []drop.Code{drop.CodeWebhookNotFound},
		}
	}
	rotate = change("rotate", rotateWebhookID, "Give a webhook a new secret",
		"Shows the new secret only once. The previous one stays valid for 24 hours: until then both sign each message. A retry under the same "+
			"Idempotency-Key gets the same secret for ten minutes.")
	rotate.serve, rotate.answer, rotate.answerExample = a.rotateWebhook, reflect.TypeFor[webhookAnswer](), "{"+exampleWebhook+","+exampleSecret+"}"
	test = change("test", testWebhookID, "Send a test message to a webhook",
		"Sends a message of type webhook.test at once, also to a disabled webhook, and returns what became of it. It is not tried again.")
	test.serve, test.streams, test.answer, test.answerExample = a.testWebhook, true, reflect.TypeFor[attemptAnswer](), exampleTest
	test.codes = append(test.codes, codeOverloaded)
	enable = change("enable", "enable-webhook", "Enable a webhook",
		"Deliveries go on where they were, and begin with what failed. A repeated call changes nothing.")
	enable.serve = a.enableWebhook
	disable = change("disable", "disable-webhook", "Disable a webhook",
		"Nothing more is sent, and the webhook keeps its place in the events. A repeated call changes nothing.")
	disable.serve = a.disableWebhook
	return rotate, test, enable, disable
}
