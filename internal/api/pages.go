package api

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/negotiate"
	"sneakerdrop/internal/operator"
)

// maxPageBody bounds the body of a page: four texts of 20,000 characters, and eight images.
const maxPageBody = 512 << 10

type pageRequest struct {
	Description *string         `json:"description" required:"true" nullable:"false" maxLength:"20000" doc:"What is sold, in Markdown. Empty: the page leaves it out"`
	SizeGuide   *string         `json:"size_guide" required:"true" nullable:"false" maxLength:"20000" doc:"How the sizes run, in Markdown. Empty: the page leaves it out"`
	Rules       *string         `json:"rules" required:"true" nullable:"false" maxLength:"20000" doc:"Who may buy how much, in Markdown. Empty: the page leaves it out"`
	Delivery    *string         `json:"delivery" required:"true" nullable:"false" maxLength:"20000" doc:"When and how it is delivered, in Markdown. Empty: the page leaves it out"`
	Images      *[]imageRequest `json:"images" required:"true" nullable:"false" maxItems:"8" doc:"Pictures, in the order of the page. Empty: none"`
}

type imageRequest struct {
	URL *string `json:"url" required:"true" nullable:"false" minLength:"1" maxLength:"2048" doc:"An http or https address, or a path that starts with /"`
	Alt *string `json:"alt,omitzero" maxLength:"200" doc:"What the picture shows, for people who cannot see it"`
}

type pageAnswer struct {
	DropID      drop.ID       `json:"dropId" minimum:"1"`
	Description string        `json:"description" doc:"Markdown. Empty: the page leaves it out"`
	SizeGuide   string        `json:"size_guide" doc:"Markdown. Empty: the page leaves it out"`
	Rules       string        `json:"rules" doc:"Markdown. Empty: the page leaves it out"`
	Delivery    string        `json:"delivery" doc:"Markdown. Empty: the page leaves it out"`
	Images      []imageAnswer `json:"images" nullable:"false" doc:"Pictures, in the order of the page"`
	UpdatedAt   *instant      `json:"updated_at" nullable:"true" doc:"When the page was last saved; null: never"`
	ETag        string        `json:"etag" doc:"Identifies this version of the page, with its quotes. Send it as If-Match to save only in its place"`
}

type imageAnswer struct {
	URL string `json:"url"`
	Alt string `json:"alt" doc:"What the picture shows. Empty: not described"`
}

type duplicateRequest struct {
	Name  *string  `json:"name,omitzero" nullable:"false" minLength:"1" maxLength:"200" doc:"What is sold. Left out: the original's name"`
	Start *instant `json:"start_time,omitzero" nullable:"false" doc:"When reserving opens. Left out: when the original opens. If that has passed: at the same time of day, 24 to 48 hours from now"`
}

func (a *api) getPage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathNumber(r)
	if err != nil {
		return err
	}
	page, err := a.engine.Page(r.Context(), drop.ID(id))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	body, tag := encodePage(drop.ID(id), &page)
	negotiate.NewBody(jsonType[0], body, gzip.BestSpeed).Tagged(tag).ServeHTTP(w, r)
	return nil
}

func (a *api) setPage(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	matches, conditional, valid := negotiate.IfMatch(r.Header)
	if conditional && !valid {
		return drop.Invalid(ifMatchHeader, "must be the etag of the page with its quotes, or *")
	}
	var in pageRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	page, err := in.page()
	if err != nil {
		return err
	}
	var mayReplace func(*drop.Page) bool
	if conditional {
		mayReplace = func(there *drop.Page) bool {
			_, tag := encodePage(id, there)
			return matches(`"` + tag + `"`)
		}
	}
	if page, err = a.engine.SetPage(r.Context(), id, page, mayReplace); err != nil {
		return err
	}
	body, _ := encodePage(id, &page)
	writeBody(w, http.StatusOK, body)
	return nil
}

const ifMatchHeader = "If-Match"

// page checks that everything is present; the domain checks the values. Nothing may be left out, because a part that
// a client forgets would be deleted.
func (in *pageRequest) page() (page drop.Page, err error) {
	for _, one := range []struct {
		field string
		given *string
		to    *string
	}{
		{"description", in.Description, &page.Description},
		{"size_guide", in.SizeGuide, &page.SizeGuide},
		{"rules", in.Rules, &page.Rules},
		{"delivery", in.Delivery, &page.Delivery},
	} {
		if *one.to, err = required(one.field, one.given); err != nil {
			return page, err
		}
	}
	images, err := required("images", in.Images)
	if err != nil {
		return page, err
	}
	if len(images) > drop.MaxPageImages { // before the server looks at each of thousands
		return page, drop.Invalid("images", fmt.Sprintf("must have at most %d entries", drop.MaxPageImages))
	}
	for i, image := range images {
		url, err := required("images["+strconv.Itoa(i)+"].url", image.URL)
		if err != nil {
			return page, err
		}
		page.Images = append(page.Images, drop.Image{URL: url, Alt: optional(image.Alt)})
	}
	return page, nil
}

// encodePage returns the answer, and the ETag of that version of the page without quotes. The tag comes from all the
// rest of the answer.
func encodePage(id drop.ID, p *drop.Page) (body []byte, tag string) {
	answer := pageAnswer{
		DropID: id, Description: p.Description, SizeGuide: p.SizeGuide, Rules: p.Rules, Delivery: p.Delivery,
		Images: make([]imageAnswer, len(p.Images)), UpdatedAt: (*instant)(unlessZero(&p.UpdatedAt)),
	}
	for i, image := range p.Images {
		answer.Images[i] = imageAnswer(image)
	}
	tag = negotiate.TagOf(encode(&answer))
	answer.ETag = `"` + tag + `"`
	return encode(&answer), tag
}

func (a *api) duplicateDrop(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	var in duplicateRequest
	if err = readOptionalBody(w, r, &in); err != nil {
		return err
	}
	v, err := a.engine.Duplicate(r.Context(), id, in.Name, (*drop.Time)(in.Start), retry)
	if err != nil {
		return err
	}
	made(w, "drop", int64(v.Drop.ID))
	return a.answerDrop(w, v, nil)
}

// pageDetail is the entry in the operators' log for a call that saves a page. It has the whole body if it fits, as
// for other calls. Of a longer body it has each text's length and SHA-256, so that one can check whether a text is
// the saved one.
func pageDetail(r *http.Request) string {
	body := readAhead(r, maxPageBody)
	var in pageRequest
	if len(body) <= operator.MaxDetail || decode(body, &in) != nil {
		return operator.Detail(plainJSON(body))
	}
	type digest struct {
		Characters int    `json:"characters"`
		SHA256     string `json:"sha256"`
	}
	of := func(text *string) digest {
		sum := sha256.Sum256([]byte(optional(text)))
		return digest{utf8.RuneCountInString(optional(text)), hex.EncodeToString(sum[:])}
	}
	images := optional(in.Images)
	short, err := json.Marshal(map[string]any{
		"description": of(in.Description), "size_guide": of(in.SizeGuide), "rules": of(in.Rules), "delivery": of(in.Delivery),
		"images": images[:min(len(images), drop.MaxPageImages)],
	})
	if err != nil {
		return operator.Detail(body)
	}
	return operator.Detail(plainJSON(short))
}

func (a *api) pageRoutes() []route {
	const page = `{"dropId":1,"description":"# The shoe that started it\n\nSoft *leather*, made in Porto.","size_guide":"EU | US\n---|---\n42 | 9",` +
		`"rules":"One pair each.","delivery":"We ship within 2 days.","images":[{"url":"https://shop.example/zenith-side.jpg","alt":"The shoe from the side"}],` +
		`"updated_at":"2026-01-30T18:00:00.000Z","etag":"\"9f86d081884c7d659a2feaa0c55ad015\""}`
	drops := []*huma.Param{idParam("The drop's id", "1")}
	return []route{
		{
			method: http.MethodGet, path: dropsPath + "/{id}/page", serve: a.getPage,
			id: "get-drop-page", access: anybody, tag: tagDrops, summary: "Read a drop's page",
			text: "The texts are Markdown, unchanged. Render them with a library that drops embedded HTML. A page that was never " +
				"saved is empty. A change made through another server of the shop appears within 2 seconds.",
			tagged: true, params: drops, answer: reflect.TypeFor[pageAnswer](), answerExample: page,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound},
		},
		{
			method: http.MethodPut, path: dropsPath + "/{id}/page", serve: a.setPage, operator: true, maxBody: maxPageBody,
			id: setPageID, access: operators, tag: tagOperating, summary: "Save a drop's page",
			text: "Replaces the whole page, so every member is required; an empty text or list leaves that part out of the page. " +
				"Saving the same page again changes nothing but updated_at and etag. With If-Match the page is saved only in place of the version " +
				"that you read: if somebody else saved it since, you get 412 page_changed and nothing changes. The body has at most 512 KiB.",
			params: append(slices.Clone(drops), &huma.Param{
				Name: ifMatchHeader, In: "header", Description: "The etag of the page that you read, with its quotes. Left out, or *: replace whatever is there",
				Schema: &huma.Schema{Type: huma.TypeString}, Example: `"9f86d081884c7d659a2feaa0c55ad015"`,
			}),
			body: reflect.TypeFor[pageRequest](),
			examples: []example{
				{
					"full", "A page with all its parts", `{"description":"# The shoe that started it\n\nSoft *leather*, made in Porto.",` +
						`"size_guide":"EU | US\n---|---\n42 | 9","rules":"One pair each.","delivery":"We ship within 2 days.",` +
						`"images":[{"url":"https://shop.example/zenith-side.jpg","alt":"The shoe from the side"}]}`,
				},
				{"short", "A description alone", `{"description":"Soft *leather*.","size_guide":"","rules":"","delivery":"","images":[]}`},
			},
			answer: reflect.TypeFor[pageAnswer](), answerExample: page, codes: []drop.Code{drop.CodeDropNotFound, drop.CodePageChanged},
		},
		{
			method: http.MethodPost, path: dropsPath + "/{id}/duplicate", serve: a.duplicateDrop, operator: true,
			id: "duplicate-drop", access: operators, tag: tagOperating, summary: "Duplicate a drop",
			text: "The new drop has the same price, sizes, stock, limits, image and page, but no sales. It is hidden: " +
				"set hidden to false to publish it. Returns the new drop.",
			params: drops, body: reflect.TypeFor[duplicateRequest](), bodyOptional: true,
			examples: []example{
				{"again", "The same drop again", `{}`},
				{"next", "Another color, at another time", `{"name":"Air Zenith 1 Black","start_time":"2027-01-31T10:00:00+01:00"}`},
			},
			answer: reflect.TypeFor[dropAnswer](), answerExample: exampleDrop, codes: []drop.Code{drop.CodeDropNotFound},
		},
	}
}
