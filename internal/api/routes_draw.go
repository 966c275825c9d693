package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

const (
	revealDrawID = "reveal-draw"

	exampleCommitment = `"2edb4a22a01ee23b2b46c6ecd94a5ef4a1ae70f0ac0e6ac18e4a0ca5b9f9d3c6"`
	exampleReceipt    = `"receipt":{"version":"sneakerdrop draw 1","drop":1,"entry":1,"buyer":3,"salt":"3261b4a8fbe54b47c0109b1cc71a9cb5","sizes":[""]}`
	exampleInDraw     = `{"id":4294967297,"dropId":1,"userId":3,"sizes":[],"status":"entered","createdAt":"2026-01-31T10:00:02.345Z",` + exampleReceipt + `}`
	exampleWithdrawn  = `{"id":4294967297,"dropId":1,"userId":3,"sizes":[],"status":"withdrawn","createdAt":"2026-01-31T10:00:02.345Z",` + exampleReceipt + `}`
	exampleRemoved    = `{"id":4294967297,"dropId":1,"userId":3,"sizes":[],"status":"removed","reason":"Entered under two names","createdAt":"2026-01-31T10:00:02.345Z"}`
	examplePublicDraw = `{"version":"sneakerdrop draw 1","drop":{"id":1,"name":"Air Zenith 1"},"phase":"open","opens":"2026-01-31T10:00:00.000Z",` +
		`"closes":"2026-02-01T10:00:00.000Z","pay_within":600,"commitment":` + exampleCommitment + `,"beacon":null}`
)

func (a *api) drawRoutes() []route {
	return []route{
		{
			method: http.MethodPost, path: dropsPath + "/enter", serve: a.enterDraw,
			id: "enter-draw", access: buyers, tag: tagBuying, summary: "Enter the draw of a drop",
			text: "Each buyer has one chance. The answer has a receipt: save it, because it proves which entry of the public record is yours. " +
				"A repeated call with the same sizes returns the same entry. To change the sizes, withdraw and enter again, at most 5 times in all. " +
				"While early access is open, a buyer with a code or on a list can enter before draw.opens.",
			body: reflect.TypeFor[enterRequest](),
			examples: []example{
				{"numbered", "A buyer by the shop's own number", `{"dropId":1,"userId":3}`},
				{"named", "A buyer by email and name, with sizes", `{"dropId":2,"userName":"Ann","email":"ann@example.com","sizes":["9.5",9]}`},
			},
			answer: reflect.TypeFor[drawEntryAnswer](), answerExample: exampleInDraw,
			codes: []drop.Code{
				drop.CodeDropNotFound, drop.CodeSizeRequired, drop.CodeSizeNotFound, drop.CodeNotStarted, drop.CodePaused, drop.CodeArchived,
				drop.CodeNoDraw, drop.CodeDrawClosed, drop.CodeDrawFull, drop.CodeEntered, drop.CodeRemoved, drop.CodeLimitReached, drop.CodeCodeRequired, drop.CodeCodeInvalid, codeOverloaded,
			},
		},
		{
			method: http.MethodPost, path: dropsPath + "/withdraw", serve: a.withdrawFromDraw,
			id: "withdraw-from-draw", access: buyers, tag: tagBuying, summary: "Withdraw from the draw of a drop",
			text: "Until the draw closes. A repeated call, or one for an entry that was removed, changes nothing. The entry stays in the public record, " +
				"marked as withdrawn.",
			body: reflect.TypeFor[withdrawRequest](),
			examples: []example{
				{"numbered", "A buyer by the shop's own number", `{"dropId":1,"userId":3}`},
				{"named", "A buyer by email and name", `{"dropId":2,"userName":"Ann","email":"ann@example.com"}`},
			},
			answer: reflect.TypeFor[drawEntryAnswer](), answerExample: exampleWithdrawn,
			codes: []drop.Code{drop.CodeDropNotFound, drop.CodeNoDraw, drop.CodeEntryNotFound, drop.CodeDrawClosed, codeOverloaded},
		},
	}
}

func (a *api) drawRecordRoutes() []route {
	drops := []*huma.Param{idParam("The drop's id", "1")}
	return []route{
		{
			method: http.MethodGet, path: dropsPath + "/{id}/entries", serve: a.listDrawEntries, long: true,
			id: "list-draw-entries", access: lookers, tag: tagBuying, summary: "Read entries of a draw",
			text: "With userId the buyer's entries, each with its receipt and its result. A signed-in buyer gets their own entries only. With an " +
				"operator's or a viewer's token, or in a shop without sign-in, the answer without userId has the entries of all buyers, page by page. " +
				"Answers to operators and viewers have no receipts.",
			params: []*huma.Param{
				idParam("The drop's id", "1"), rowParam("userId", "Only this buyer's entries; all of them on one page", 1),
				afterParam("id of the entry"), limitParam(maxPage),
			},
			answer: reflect.TypeFor[drawEntriesAnswer](), answerExample: `{"entries":[` + exampleInDraw + `],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, drop.CodeNoDraw, codeCrossOrigin},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/remove", serve: a.removeDrawEntry, operator: true,
			id: "remove-draw-entry", access: operators, tag: tagOperating, summary: "Remove an entry from a draw",
			text: "Until the draw closes. The entry stays in the public record, with the reason. The buyer cannot enter again. " +
				"A repeated call changes nothing, not even the reason.",
			params: drops, body: reflect.TypeFor[removeRequest](),
			examples: []example{{"remove", "An entry from the list", `{"entryId":4294967297,"reason":"Entered under two names"}`}},
			answer:   reflect.TypeFor[drawEntryAnswer](), answerExample: exampleRemoved,
			codes: []drop.Code{drop.CodeDropNotFound, drop.CodeNoDraw, drop.CodeEntryNotFound, drop.CodeDrawClosed, codeOverloaded},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/reveal", serve: a.revealDraw, operator: true, repeatable: true, streams: true,
			id: revealDrawID, access: operators, tag: tagOperating, summary: "Reveal the seed of a draw, or its beacon's round",
			text: "For a shop that keeps the seed itself, and for a server that cannot read the beacon. After the close only. " +
				"A repeated call changes nothing. Returns what everybody may know of the draw.",
			params: drops, body: reflect.TypeFor[revealRequest](),
			examples: []example{
				{"seed", "The seed that the shop kept", `{"seed":"e349b6a7849927d6b0072dca7e2f928998f54357c430d179ac9913d4bc5f058a"}`},
			},
			answer: reflect.TypeFor[publicDrawAnswer](), answerExample: examplePublicDraw,
			codes: []drop.Code{drop.CodeDropNotFound, drop.CodeNoDraw, drop.CodeDrawOpen},
		},
		{
			method: http.MethodGet, path: dropsPath + "/{id}/draw", serve: a.showDraw, streams: true,
			id: "show-draw", access: anybody, tag: tagDrops, summary: "Read the public record of a draw",
			text: "From the close on it has the number of entries, the root and the seal. Once the result is there, the answer is the whole record, byte for byte: " +
				"save it as a file and check it with sneakerdrop verify. A record has at most 64 MiB.",
			tagged: true, params: drops,
			answer: reflect.TypeFor[publicDrawAnswer](), answerExample: examplePublicDraw,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, drop.CodeNoDraw},
		},
	}
}
