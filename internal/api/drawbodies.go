package api

import (
	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

type drawRequest struct {
	Opens      *instant `json:"opens" required:"true" nullable:"false" doc:"When buyers can enter: RFC 3339 with a zone, years 1970 to 9999, cut to milliseconds"`
	Closes     *instant `json:"closes" required:"true" nullable:"false" doc:"When the time to enter ends; after opens"`
	PayWithin  *whole   `json:"pay_within,omitzero" nullable:"true" minimum:"10" maximum:"86400" default:"600" doc:"Seconds that a winner has to buy the unit"`
	Commitment *string  `json:"seed_commitment,omitzero" nullable:"true" pattern:"^[0-9a-f]{64}$" doc:"The commitment to a seed that you keep, and reveal after the close. Left out: the server makes the seed and reveals it itself"`
	Beacon     *string  `json:"beacon,omitzero" nullable:"true" enum:"quicknet,default" doc:"The drand network whose randomness the draw uses beside the seed. Left out: the seed alone decides"`
	Round      *whole   `json:"round,omitzero" nullable:"true" minimum:"1" maximum:"9007199254740991" doc:"Required with beacon: the round of the network. It must come after closes"`
}

type drawTerms struct {
	Opens      instant `json:"opens"`
	Closes     instant `json:"closes"`
	PayWithin  int     `json:"pay_within" doc:"Seconds that a winner has to buy the unit"`
	Commitment string  `json:"seed_commitment" doc:"The commitment to the seed"`
	Beacon     string  `json:"beacon,omitzero" doc:"The drand network. Absent: the seed alone decides"`
	Round      int64   `json:"round,omitzero" doc:"Present with beacon"`
	Phase      string  `json:"phase" enum:"soon,open,closed,drawn" doc:"soon: before opens. open: buyers can enter. closed: the result is not there yet. drawn: the result is there"`
	Entered    uint32  `json:"entered" doc:"Entries so far, with those that were withdrawn or removed"`
}

type enterRequest struct {
	DropID   *whole   `json:"dropId" required:"true" nullable:"false" doc:"The drop"`
	UserID   *whole   `json:"userId,omitzero" nullable:"true" minimum:"1" maximum:"9007199254740991" doc:"The buyer's number, as in reserve"`
	UserName *string  `json:"userName,omitzero" maxLength:"100" doc:"The buyer, if there is no userId, as in reserve"`
	Email    *string  `json:"email,omitzero" maxLength:"254" doc:"Goes with userName"`
	Sizes    *[]label `json:"sizes,omitzero" nullable:"true" maxItems:"10" doc:"The sizes that the buyer would take, the favorite first. Required if the drop has sizes"`
	Code     *string  `json:"code,omitzero" nullable:"true" doc:"A code for early access, as in reserve"`
}

type withdrawRequest struct {
	DropID   *whole  `json:"dropId" required:"true" nullable:"false" doc:"The drop"`
	UserID   *whole  `json:"userId,omitzero" nullable:"true" minimum:"1" maximum:"9007199254740991" doc:"The buyer's number, as in reserve"`
	UserName *string `json:"userName,omitzero" maxLength:"100" doc:"The buyer, if there is no userId, as in reserve"`
	Email    *string `json:"email,omitzero" maxLength:"254" doc:"Goes with userName"`
}

type removeRequest struct {
	EntryID *whole  `json:"entryId" required:"true" nullable:"false" doc:"The id from the list of entries"`
	Reason  *string `json:"reason" required:"true" nullable:"false" minLength:"1" maxLength:"200" doc:"Why. Everybody can read it in the record"`
}

type revealRequest struct {
	Seed   *string       `json:"seed,omitzero" nullable:"true" pattern:"^[0-9a-f]{64}$" doc:"The seed that you keep"`
	Beacon *roundRequest `json:"beacon,omitzero" doc:"The round of the beacon, for a server that cannot read it by itself"`
}

type roundRequest struct {
	Randomness *string `json:"randomness,omitzero" nullable:"true" pattern:"^[0-9a-f]{64}$" doc:"The SHA-256 of the signature; only checked"`
	Signature  *string `json:"signature" required:"true" nullable:"false" pattern:"^([0-9a-f]{2})+$" maxLength:"192"`
	Previous   *string `json:"previous_signature,omitzero" nullable:"true" pattern:"^([0-9a-f]{2})+$" maxLength:"192" doc:"Required by the network default"`
}

type (
	drawEntriesAnswer struct {
		Entries []drawEntryAnswer `json:"entries" nullable:"false" doc:"In the order of their numbers"`
		Next    *drop.EntryID     `json:"next" nullable:"true" doc:"Send it as after to get the next page; null: this is the last page"`
	}
	drawEntryAnswer struct {
		ID        drop.EntryID       `json:"id"`
		DropID    drop.ID            `json:"dropId"`
		UserID    drop.UserID        `json:"userId"`
		Sizes     []string           `json:"sizes" nullable:"false" doc:"The wanted sizes, the favorite first. Empty if the drop has no sizes"`
		Status    string             `json:"status" enum:"entered,withdrawn,removed"`
		Reason    string             `json:"reason,omitzero" doc:"Why the shop removed the entry"`
		CreatedAt instant            `json:"createdAt"`
		Receipt   *drawReceiptAnswer `json:"receipt,omitzero" doc:"Proves which entry of the public record is the buyer's. Absent in lists of all buyers, and in answers to operators"`
		Result    *drawResultAnswer  `json:"result,omitzero" doc:"Present once the result is there, for an entry that took part. Absent in lists of all buyers"`
	}
	drawReceiptAnswer struct {
		Version string   `json:"version"`
		Drop    int64    `json:"drop"`
		Entry   int64    `json:"entry" doc:"The number of the entry in the public record"`
		Buyer   int64    `json:"buyer"`
		Salt    string   `json:"salt" doc:"Secret: whoever has it can show whose entry it is"`
		Sizes   []string `json:"sizes" nullable:"false"`
	}
	drawResultAnswer struct {
		Won   bool   `json:"won"`
		Size  string `json:"size,omitzero" doc:"The size that the entry won, if the drop has sizes"`
		Place int    `json:"place,omitzero" doc:"The place among the runners-up, from 1"`
	}
	// publicDrawAnswer is what everybody may know of a draw. It only describes what package drawing writes.
	publicDrawAnswer struct {
		Version    string         `json:"version" doc:"The version of the format"`
		Drop       publicDrop     `json:"drop"`
		Phase      string         `json:"phase,omitzero" enum:"soon,open,closed" doc:"As in a drop. Absent in the record"`
		Opens      instant        `json:"opens"`
		Closes     instant        `json:"closes"`
		PayWithin  int            `json:"pay_within,omitzero" doc:"Seconds that a winner has to buy the unit. Absent in the record"`
		Stock      []publicStock  `json:"stock,omitzero" nullable:"false" doc:"Only in the record"`
		Commitment string         `json:"commitment" doc:"The commitment to the seed"`
		Beacon     publicBeacon   `json:"beacon"`
		Count      *int           `json:"count,omitzero" doc:"Present from the close on: the number of entries"`
		Root       string         `json:"root,omitzero" doc:"Present from the close on"`
		Seal       string         `json:"seal,omitzero" doc:"Present from the close on"`
		Seed       string         `json:"seed,omitzero" doc:"Only in the record"`
		Winners    []publicWinner `json:"winners,omitzero" nullable:"false" doc:"Only in the record, in the order of the draw"`
		RunnersUp  []int64        `json:"runners_up,omitzero" nullable:"false" doc:"Only in the record: numbers of entries in the order of the draw"`
		Entries    []publicEntry  `json:"entries,omitzero" nullable:"false" doc:"Only in the record"`
	}
	publicDrop struct {
		ID   drop.ID `json:"id"`
		Name string  `json:"name"`
	}
	publicStock struct {
		Size  string `json:"size" doc:"Empty for a drop without sizes"`
		Units int64  `json:"units"`
	}
	publicWinner struct {
		Entry int64 `json:"entry" doc:"The number of the entry"`
		Size  int   `json:"size" doc:"The place of the size in stock, from 0"`
	}
	publicEntry struct {
		ID        int64  `json:"id" doc:"The number of the entry"`
		Hash      string `json:"hash" doc:"Hides the buyer; the receipt proves whose entry it is"`
		Sizes     []int  `json:"sizes" nullable:"false" doc:"Places in stock, the favorite first"`
		Withdrawn bool   `json:"withdrawn,omitzero"`
		Removed   string `json:"removed,omitzero" doc:"Why the shop removed the entry"`
	}
	publicBeacon struct{}
)

// Schema implements huma.SchemaProvider.
func (publicBeacon) Schema(huma.Registry) *huma.Schema {
	text, number := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
	return &huma.Schema{
		Type: huma.TypeObject, Nullable: true, Description: "The round of the beacon; null: the seed alone decides. Its randomness and signatures are only in the record",
		Required: []string{"url", "chain_hash", "public_key", "scheme", "round"},
		Properties: map[string]*huma.Schema{
			"url": text, "chain_hash": text, "public_key": text, "scheme": text, "round": number,
			"randomness": text, "signature": text, "previous_signature": text,
		},
	}
}
