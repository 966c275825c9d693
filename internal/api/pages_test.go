package api_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sneakerdrop/internal/operator"
)

const (
	emptyPage = `{"dropId":1,"description":"","size_guide":"","rules":"","delivery":"","images":[],"updated_at":null,` +
		`"etag":"\"9cc98bf2ebd435302140e359dc7939a2\""}`
	fullPage = `{"description":"# Fit\r\n\r\n- *snug*  ","size_guide":"EU | US\n---|---","rules":"One pair each","delivery":"By post",` +
		`"images":[{"url":"https://a.example/1.jpg","alt":" A  shoe "},{"url":"/2.jpg"}]}`
	fullPageIs = `{"dropId":1,"description":"# Fit\n\n- *snug*","size_guide":"EU | US\n---|---","rules":"One pair each","delivery":"By post",` +
		`"images":[{"url":"https://a.example/1.jpg","alt":"A shoe"},{"url":"/2.jpg","alt":""}],"updated_at":`
)

func (s *shop) put(path, body string) reply {
	s.Helper()
	return s.do(s.request(http.MethodPut, path, body))
}

func TestPage_IsSavedWholeAndRead(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	empty := s.get("/api/drops/1/page")
	s.answers(empty, emptyPage)
	saved := s.ok(s.put("/api/drops/1/page", fullPage))
	if !strings.HasPrefix(saved.body, fullPageIs) {
		t.Errorf("saved: %s", saved.body)
	}
	read := s.ok(s.get("/api/drops/1/page"))
	s.answers(read, saved.body)
	if read.header.Get("Etag") == empty.header.Get("Etag") || read.header.Get("Etag") == "" {
		t.Errorf("the ETag is %q, as before", read.header.Get("Etag"))
	}
	req := s.request(http.MethodGet, "/api/drops/1/page", "")
	req.Header.Set("If-None-Match", read.header.Get("Etag"))
	if r := s.do(req); r.status != http.StatusNotModified {
		t.Errorf("with the ETag: %+v", r)
	}
	if again := s.ok(s.put("/api/drops/1/page", fullPage)); !strings.HasPrefix(again.body, fullPageIs) {
		t.Errorf("saved again: %s", again.body)
	}
	short := s.ok(s.put("/api/drops/1/page", `{"description":"a","size_guide":"","rules":"","delivery":"","images":[]}`))
	if !strings.HasPrefix(short.body, `{"dropId":1,"description":"a","size_guide":"","rules":"","delivery":"","images":[],"updated_at":"`) {
		t.Errorf("replaced: %s", short.body)
	}
}

// replace saves a page in place of the version with that tag.
func (s *shop) replace(tag, body string) reply {
	s.Helper()
	req := s.request(http.MethodPut, "/api/drops/1/page", body)
	req.Header["If-Match"] = []string{tag}
	return s.do(req)
}

func pageSaying(text string) string {
	return fmt.Sprintf(`{"description":%q,"size_guide":"","rules":"","delivery":"","images":[]}`, text)
}

func TestPage_OfTwoOperatorsAtOnceTheSecondIsTold(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	type page struct {
		Description string `json:"description"`
		ETag        string `json:"etag"`
	}
	read := func() page { return decoded[page](s, s.ok(s.get("/api/drops/1/page"))) }
	none := read()
	first := decoded[page](s, s.ok(s.replace(none.ETag, pageSaying("Ann's"))))
	if now := read(); now != first || first.ETag == none.ETag {
		t.Fatalf("saved %+v, read %+v, before %+v", first, now, none)
	}
	late := s.refused(s.replace(none.ETag, pageSaying("Bob's")), http.StatusPreconditionFailed, "page_changed")
	if !strings.Contains(late.Error, "read it again") {
		t.Errorf("the sentence does not say what to do: %s", late.Error)
	}
	if now := read(); now != first {
		t.Errorf("the late one changed the page: %+v", now)
	}
	// A client can safely retry after a lost answer.
	if again := decoded[page](s, s.ok(s.replace(none.ETag, pageSaying("Ann's")))); again != first {
		t.Errorf("the repeat made another version: %+v, before %+v", again, first)
	}
	merged := decoded[page](s, s.ok(s.replace(first.ETag, pageSaying("Ann's and Bob's"))))
	for _, format := range []string{`*`, `"another", "%s"`, `W/"%s"`, `"%s-gzip"`} {
		tag := strings.Replace(format, "%s", strings.Trim(merged.ETag, `"`), 1)
		merged = decoded[page](s, s.ok(s.replace(tag, pageSaying("by "+tag))))
	}
	for _, bad := range []string{"", "abc", `"`, `"a", b`, strings.Trim(merged.ETag, `"`)} {
		if e := s.refused(s.replace(bad, pageSaying("bad")), http.StatusUnprocessableEntity, "invalid"); e.Field != "If-Match" {
			t.Errorf("If-Match: %s: %+v", bad, e)
		}
	}
	if now := read(); now.ETag != merged.ETag {
		t.Errorf("a faulty If-Match changed the page: %+v", now)
	}
	s.ok(s.put("/api/drops/1/page", pageSaying("without a condition")))
}

// The header and the member have the same tag, and the compressed form has the page's own tag too.
func TestPage_ItsTagIsTheHeader(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	saved := decoded[struct {
		ETag string `json:"etag"`
	}](s, s.ok(s.put("/api/drops/1/page", pageSaying(strings.Repeat("long ", 1000)))))
	if header := s.get("/api/drops/1/page").header.Get("ETag"); header != saved.ETag {
		t.Errorf("the header is %s, the member %s", header, saved.ETag)
	}
	req := s.request(http.MethodGet, "/api/drops/1/page", "")
	req.Header.Set("Accept-Encoding", "gzip")
	compressed := s.do(req).header.Get("ETag")
	if compressed == saved.ETag || compressed == "" {
		t.Fatalf("the compressed page has the tag %q", compressed)
	}
	s.ok(s.replace(compressed, pageSaying("new")))
	s.refused(s.replace(compressed, pageSaying("newer")), http.StatusPreconditionFailed, "page_changed")
}

// The page of a hidden drop is shown to everybody who knows its number, like the drop itself.
func TestPage_OfAHiddenDrop(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	s.ok(s.patch("/api/drops/1", `{"hidden":true}`))
	s.answers(s.get("/api/drops/1/page"), emptyPage)
}

func TestPage_BadInputChangesNothing(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	saved := s.ok(s.put("/api/drops/1/page", fullPage)).body
	with := func(member, value string) string {
		var page map[string]json.RawMessage
		if err := json.Unmarshal([]byte(fullPage), &page); err != nil {
			t.Fatal(err)
		}
		if delete(page, member); value != "" {
			page[member] = json.RawMessage(value)
		}
		body, err := json.Marshal(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	text := func(n int) string { return `"` + strings.Repeat("ü", n) + `"` }
	for _, c := range []struct{ body, field, sentence string }{
		{with("description", ""), "description", "description is required"},
		{with("description", "null"), "description", "description is required"},
		{with("size_guide", "7"), "size_guide", "size_guide must be a string"},
		{with("rules", text(20_001)), "rules", "rules must have at most 20000 characters"},
		{with("delivery", `"a\u0000"`), "delivery", "delivery must not contain control characters"},
		{with("images", ""), "images", "images is required"},
		{with("images", `{}`), "images", "images must be an array"},
		{with("images", `[7]`), "images[0]", "images[0] must be an object"},
		{with("images", `[null]`), "images[0].url", "images[0].url is required"},
		{with("images", `[{"alt":"a"}]`), "images[0].url", "images[0].url is required"},
		{with("images", `[{"url":"/1","alt":["a"]}]`), "images[0].alt", "images[0].alt must be a string"},
		{with("images", `[{"url":"/1"},{"url":"javascript:x"}]`), "images[1].url", "images[1].url must be an http or https address, or a path that starts with /"},
		{with("images", "["+strings.Repeat(`{"url":"/1"},`, 8)+`{"url":"/1"}]`), "images", "images must have at most 8 entries"},
	} {
		refusal := s.refused(s.put("/api/drops/1/page", c.body), http.StatusUnprocessableEntity, "invalid")
		if refusal.Field != c.field || refusal.Error != c.sentence {
			t.Errorf("%.80s: %+v", c.body, refusal)
		}
	}
	s.refused(s.put("/api/drops/1/page", "[]"), http.StatusBadRequest, "bad_json")
	s.refused(s.put("/api/drops/1/page", fullPage+" {}"), http.StatusBadRequest, "bad_json")
	large := s.refused(s.put("/api/drops/1/page", fullPage+strings.Repeat(" ", 512<<10)), http.StatusRequestEntityTooLarge, "too_large")
	if large.Error != "Body is too large; send at most 512 KiB" {
		t.Error(large.Error)
	}
	for _, id := range []string{"2", "0", "-1", "9007199254740993"} {
		s.refused(s.put("/api/drops/"+id+"/page", fullPage), http.StatusNotFound, "drop_not_found")
		s.refused(s.get("/api/drops/"+id+"/page"), http.StatusNotFound, "drop_not_found")
	}
	s.refused(s.get("/api/drops/x/page"), http.StatusUnprocessableEntity, "invalid")
	s.refused(s.do(s.request(http.MethodPatch, "/api/drops/1/page", fullPage)), http.StatusMethodNotAllowed, "method_not_allowed")
	s.answers(s.get("/api/drops/1/page"), saved)
}

// The largest page that the rules allow is larger than any other body may be.
func TestPage_TheLargestFits(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	text, url := strings.Repeat("👟", 20_000), "https://a.example/"+strings.Repeat("a", 2030)
	image := fmt.Sprintf(`{"url":%q,"alt":%q}`, url, strings.Repeat("👟", 200))
	body := fmt.Sprintf(`{"description":%q,"size_guide":%[1]q,"rules":%[1]q,"delivery":%[1]q,"images":[%s]}`, text, strings.Repeat(image+",", 7)+image)
	saved := s.ok(s.put("/api/drops/1/page", body))
	s.answers(s.get("/api/drops/1/page"), saved.body)
}

func TestPage_IsAnOperatorsAndInTheLog(t *testing.T) {
	g := newGuarded(t) // this one creates a drop
	g.refused(g.put("/api/drops/1/page", fullPage), http.StatusUnauthorized, "unauthenticated")
	g.refused(g.as(g.ann, http.MethodPut, "/api/drops/1/page", fullPage), http.StatusForbidden, "forbidden")
	views, _ := g.operatorToken(operator.Viewer, 0)
	g.refused(g.as(views, http.MethodPut, "/api/drops/1/page", fullPage), http.StatusForbidden, "forbidden")
	g.refused(g.as(views, http.MethodPost, "/api/drops/1/duplicate", ""), http.StatusForbidden, "forbidden")
	g.answers(g.get("/api/drops/1/page"), emptyPage) // everybody may read it

	small := `{"description":"a","size_guide":"","rules":"","delivery":"","images":[]}`
	g.ok(g.as(g.admin, http.MethodPut, "/api/drops/1/page", small))
	long := strings.Repeat("ü", 20_000)
	g.ok(g.as(g.admin, http.MethodPut, "/api/drops/1/page", fmt.Sprintf(`{"description":%q,"size_guide":%[1]q,"rules":"","delivery":"","images":[{"url":"/1"}]}`, long)))
	g.ok(g.as(g.admin, http.MethodPost, "/api/drops/1/duplicate", `{"name":"Again"}`))
	log := g.log("").Actions
	if log[2].Call != "set-drop-page" || log[2].Detail != small || *log[2].Outcome != "ok" {
		t.Errorf("a short page: %+v", log[2])
	}
	digest := fmt.Sprintf(`{"characters":20000,"sha256":"%x"}`, sha256.Sum256([]byte(long)))
	if d := log[1].Detail; !strings.Contains(d, `"description":`+digest) || !strings.Contains(d, `"images":[{"url":"/1"`) {
		t.Errorf("a long page: %.300s", d)
	}
	if log[0].Call != "duplicate-drop" || *log[0].DropID != 1 || *log[0].Outcome != "ok, drop 2" {
		t.Errorf("a duplicate: %+v", log[0])
	}
}

func TestCreate_HiddenIsADraftUntilItIsPublished(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", strings.Replace(createBody, "{", `{"hidden":true,`, 1)))
	s.answers(s.list(), "[]")
	if d := s.ok(s.get("/api/drops/1")).body; !strings.Contains(d, `"hidden":true`) {
		t.Error(d)
	}
	s.refused(s.post("/api/drops/create", strings.Replace(createBody, "{", `{"hidden":"yes",`, 1)), http.StatusUnprocessableEntity, "invalid")
	s.ok(s.patch("/api/drops/1", `{"hidden":false}`))
	if list := s.list().body; !strings.Contains(list, `"id":1,`) || strings.Contains(list, "hidden") {
		t.Errorf("published: %s", list)
	}
}

func TestDuplicate_MakesADraft(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", laterBody)
	s.ok(s.put("/api/drops/1/page", fullPage))
	first := s.ok(s.keyed("k", "/api/drops/1/duplicate", ""))
	want := strings.Replace(laterDrop, `"id":1`, `"id":2`, 1)
	s.answers(first, strings.Replace(want, `"version":1,`, `"version":1,"hidden":true,`, 1))
	s.isReplay(first, false)
	again := s.ok(s.keyed("k", "/api/drops/1/duplicate", ""))
	s.answers(again, first.body)
	s.isReplay(again, true)
	s.refused(s.keyed("k", "/api/drops/1/duplicate", `{"name":"x"}`), http.StatusUnprocessableEntity, "idempotency_mismatch")
	if page := s.ok(s.get("/api/drops/2/page")).body; !strings.HasPrefix(page, strings.Replace(fullPageIs, `"dropId":1`, `"dropId":2`, 1)) {
		t.Errorf("its page: %s", page)
	}
	if list := s.list().body; strings.Contains(list, `"id":2`) {
		t.Errorf("it is in the list: %s", list)
	}
	named := s.ok(s.post("/api/drops/2/duplicate", `{"name":" Neu ","start_time":"9997-01-31T10:00:00Z"}`)).body
	if !strings.Contains(named, `"name":"Neu"`) || !strings.Contains(named, `"start_time":"9997-01-31T10:00:00.000Z"`) {
		t.Error(named)
	}
	for body, field := range map[string]string{`{"name":""}`: "name", `{"name":7}`: "name", `{"start_time":"soon"}`: "start_time"} {
		if r := s.refused(s.post("/api/drops/1/duplicate", body), http.StatusUnprocessableEntity, "invalid"); r.Field != field {
			t.Errorf("%s: %+v", body, r)
		}
	}
	s.refused(s.post("/api/drops/9/duplicate", ""), http.StatusNotFound, "drop_not_found")
	s.refused(s.get("/api/drops/4"), http.StatusNotFound, "drop_not_found") // nothing was created
}
