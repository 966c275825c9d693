package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	longName = `A very long name for a shoe, Collaboration Edition “Ümläüt & Friends” Unverwechselbarkeitsgarantieschein`
	anImage  = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2"><path fill="#d2401b" d="M0 0h3v2H0z"/></svg>`
)

// stateful creates one drop in each state that a card can have.
func stateful(t *testing.T, url string) {
	t.Helper()
	images := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/shoe.svg" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, anImage)
	}))
	t.Cleanup(images.Close)
	started := `"start_time":"2020-01-01T00:00:00Z"`
	made(t, url, `{"name":"Plain","price":90,"total_stock":50,`+started+`}`)
	made(t, url, `{"name":"`+longName+`","price":12999.95,"limit_per_user":2,"sizes":[{"size":"EU 42 2/3 wide","stock":2},{"size":"XXL","stock":10000},{"size":"9.5","stock":0},{"size":"10","stock":3}],`+started+`}`)
	made(t, url, `{"name":"Sold out","price":90,"total_stock":1,`+started+`}`)
	made(t, url, `{"name":"Paused","price":90,"total_stock":10,`+started+`}`)
	made(t, url, `{"name":"With an image","price":90,"total_stock":10,"image_url":"`+images.URL+`/shoe.svg",`+started+`}`)
	made(t, url, `{"name":"Image is gone","price":90,"total_stock":10,"image_url":"`+images.URL+`/gone.svg",`+started+`}`)
	made(t, url, `{"name":"Tomorrow","price":90,"total_stock":10,"start_time":"`+time.Now().Add(26*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	mustPost(t, url+"/api/drops/4/pause", `{}`)
	for _, name := range []string{"Bartholomew Longname-Featherstonehaugh the Third", "Ann", "Ben"} {
		for _, drop := range []string{`3`, `2,"size":"XXL"`} {
			answer := post(t, url+"/api/drops/reserve", `{"dropId":`+drop+`,"userName":"`+name+`"}`)
			if strings.HasPrefix(answer, "200 ") {
				mustPost(t, url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, id(t, answer)))
			}
		}
	}
}

// Nothing is cut off, covered, too small or too wide, and axe-core finds nothing serious, in any state, on a phone
// and on a desktop, in light and dark mode.
func TestShop_Looks(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	alone := visit(t, s.url, phone)
	alone.reads("main", "First come")
	alone.checkLayout("alone phone")
	patch(t, s.url+"/api/drops/1", `{"archived":true}`)
	t.Run("states", func(t *testing.T) {
		s := startFor(t, t.TempDir())
		stateful(t, s.url)
		for _, l := range []look{phone, desktop, phoneDark, desktopDark} {
			p := visit(t, s.url, l)
			p.reads("#drop-7", "Starts in")
			p.reads(".live", "Live")
			call[chromedp.Void](p, "layOutAll")
			p.holds(`document.querySelector("#drop-5 img")?.complete && !!document.querySelector("#drop-6 svg")`)
			p.check("many", l)
			p.press(`#drop-2 input[value="XXL"]`)
			p.reserves(2)
			p.reads("dialog[open] h2", "Who's buying?")
			p.check("name", l)
			p.introduce("Nika " + l.name)
			p.reads(".hold", "Size XXL")
			p.reserves(1)
			p.holds(`document.querySelectorAll(".hold").length === 2`)
			mustPost(t, s.url+"/api/drops/5/pause", `{}`)
			p.reserves(6)
			p.holds(`document.querySelectorAll(".hold").length === 3`)
			p.check("holds", l)
			p.press(".hold .primary")
			p.reads("dialog[open]", "It's yours!")
			p.check("receipt", l)
			p.press("dialog[open] .primary")
			eval[chromedp.Void](p, `globalThis.fetch = async () => new Response('{"error":"","code":"out_of_stock"}', {status: 409})`)
			p.reserves(1)
			p.reads("#drop-1 .refused", "got there first")
			p.check("refused", l)
			p.quiet()
		}
	})
}

// The first load is small, comes from this server only and paints at once.
func TestShop_FirstLoad(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--demo")
	paint, bytes := 0.0, 0
	for try := range 3 {
		p := visit(t, s.url, phone)
		p.reads(".live", "Live")
		p.holds(`performance.getEntriesByName("first-contentful-paint").length > 0`)
		l := call[struct {
			Bytes, Requests int
			Paint           float64
			Foreign         []string
		}](p, "loaded")
		t.Logf("%d bytes in %d requests, first paint after %.0f ms", l.Bytes, l.Requests, l.Paint)
		if l.Bytes < 10_000 || l.Bytes > 120_000 || len(l.Foreign) > 0 {
			t.Errorf("%d bytes in %d requests, from elsewhere %v", l.Bytes, l.Requests, l.Foreign)
		}
		if try == 0 || l.Paint < paint {
			paint = l.Paint
		}
		bytes = l.Bytes
		p.quiet()
	}
	// The goal is 200 ms; a busy machine takes longer even at its best.
	if paint > 2000 {
		t.Errorf("the first paint took %.0f ms at its best, with %d bytes", paint, bytes)
	}
}

// 200 drops are on one page, 20 of them sell, and the page stays fluent.
func TestShop_200Drops(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	for i := range 200 {
		made(t, s.url, fmt.Sprintf(`{"name":"Drop %d","price":90,"sizes":[{"size":"9","stock":500},{"size":"10","stock":500}],"start_time":"2020-01-01T00:00:00Z"}`, i+1))
	}
	p := visit(t, s.url, desktop)
	p.holds(`document.querySelectorAll(".card").length === 200`)
	p.reads(".live", "Live")
	loading := eval[[]int](p, `noted.long.splice(0)`)
	done := make(chan struct{})
	var buyers sync.WaitGroup
	for drop := 1; drop <= 20; drop++ {
		buyers.Go(func() {
			for user := 1; ; user++ {
				select {
				case <-done:
					return
				case <-time.After(50 * time.Millisecond):
					if _, err := send(t.Context(), http.DefaultClient, s.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d,"size":"9"}`, drop, user)); err != nil {
						return
					}
				}
			}
		})
	}
	end := sync.OnceFunc(func() { close(done); buyers.Wait() })
	defer end()
	for drop := 1; drop <= 20; drop++ {
		p.holds(script(fmt.Sprintf(`parseInt(textOf("#drop-%d .left").replace(/\D/g, "")) < 960`, drop)))
	}
	moving := eval[[]int](p, `noted.long`)
	end()
	t.Logf("long tasks (ms): while it loaded %v, while 20 stocks moved %v", loading, moving)
	// The goal is 50 ms. A busy machine slows everything down, so only much larger values fail.
	if len(moving) > 0 && slices.Max(moving) > 1000 {
		t.Errorf("the page stood still for %d ms", slices.Max(moving))
	}
	for drop := 1; drop <= 20; drop++ {
		_, body := get(t, fmt.Sprintf("%s/api/drops/%d", s.url, drop))
		left, _, _ := strings.Cut(body[strings.Index(body, `"available_stock":`)+len(`"available_stock":`):], ",")
		p.holds(script(fmt.Sprintf(`textOf("#drop-%d .left").replace(/\D/g, "") === %q`, drop, left)))
	}
	p.quiet()
}

// Scripts that somebody puts into a name are shown as text, and scripts that are not ours do not run.
func TestShop_NamesAreWords(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"<img src=x onerror=alert(1)><script>alert(2)</script>","price":90,"total_stock":1,"start_time":"2020-01-01T00:00:00Z"}`)
	p := visit(t, s.url, desktop)
	p.reads("#drop-1 h2", "<img src=x onerror=alert(1)>")
	p.quiet()
	for _, smuggled := range []script{
		`{ const s = document.createElement("button"); s.setAttribute("onclick", "smuggled = 1"); document.body.append(s); s.click() }`,
		`document.body.innerHTML = "<img src=x onerror=smuggled=1>"`,
		`{ const s = document.createElement("script"); s.text = "smuggled = 1"; document.body.append(s) }`,
	} {
		eval[chromedp.Void](p, "try { "+smuggled+" } catch {}")
	}
	p.holds(`noted.violations.length >= 3 && !globalThis.smuggled`)
}
