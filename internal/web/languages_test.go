package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var langOf = regexp.MustCompile(`<html lang="([^"]*)" dir="([^"]*)"`)

func TestLanguages_ThePageSpeaksTheReaders(t *testing.T) {
	h, _ := handler(t, Config{})
	for name, c := range map[string]struct{ target, accept, cookie, want string }{
		"nothing said":            {"/", "", "", "en"},
		"the first":               {"/", "de", "", "de"},
		"of a region":             {"/", "de-CH,de;q=0.9,en;q=0.8", "", "de"},
		"the heaviest":            {"/", "fr;q=0.5, es;q=0.8", "", "es"},
		"one that is refused":     {"/", "de;q=0, fr;q=0.1", "", "fr"},
		"not offered":             {"/", "nl", "", "en"},
		"not offered, then one":   {"/", "nl, fr;q=0.3", "", "fr"},
		"any":                     {"/", "*", "", "en"},
		"Japanese":                {"/", "ja-JP, en-US;q=0.7", "", "ja"},
		"as systems call it":      {"/", "de_DE", "", "de"},
		"partly nonsense":         {"/", "§§, ;;q=1, fr", "", "fr"},
		"all nonsense":            {"/", "C.UTF-8;q=x", "", "en"},
		"weights that are none":   {"/", "de;q=2, fr;q=-1", "", "de"},
		"very long":               {"/", "es, " + strings.Repeat("x-aaaaaaaa, ", 2000) + "de", "", "es"},
		"very long, in one piece": {"/", strings.Repeat("-", 5000), "", "en"},
		"chosen before":           {"/", "de", "ja", "ja"},
		"chosen, and gone":        {"/", "de", "kl", "de"},
		"chosen, and nonsense":    {"/", "de", strings.Repeat("z", 3000), "de"},
		"the address":             {"/?lang=es", "de", "ja", "es"},
		"the address's region":    {"/?lang=fr-CA", "de", "", "fr"},
		"the address's nonsense":  {"/?lang=%00&lang=es", "de", "", "de"},
		"the address's unknown":   {"/?lang=nl", "de", "", "de"},
	} {
		w := answer(h, http.MethodGet, c.target, "Accept-Language", c.accept, "Cookie", languageCookie+"="+c.cookie)
		m := langOf.FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusOK || m == nil || m[1] != c.want || m[2] != "ltr" || w.Header().Get("Content-Language") != c.want {
			t.Errorf("%s: %d %q %s, want %s", name, w.Code, m, w.Header().Get("Content-Language"), c.want)
		}
		if vary := strings.Join(w.Header()["Vary"], ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
			t.Errorf("%s: Vary: %s", name, vary)
		}
		chosen := strings.Contains(w.Header().Get("Set-Cookie"), languageCookie+"="+c.want+";")
		if asked := strings.HasPrefix(name, "the address") && !strings.Contains(name, "nonsense") && !strings.Contains(name, "unknown"); chosen != asked {
			t.Errorf("%s: Set-Cookie: %s", name, w.Header().Get("Set-Cookie"))
		}
	}
	if w := answer(h, http.MethodGet, "/admin?lang=de", "Accept-Language", "de"); langOf.FindStringSubmatch(w.Body.String())[1] != "en" {
		t.Error("the control room does not speak English")
	}
}

// Each page has the texts of its language, and names the languages that there are.
func TestLanguages_ThePageHasTheTexts(t *testing.T) {
	h, _ := handler(t, Config{})
	for tag, want := range map[string][2]string{
		"en": {`"card.reserve":"Reserve"`, "Skip to the drops"}, "de": {`"card.reserve":"Reservieren"`, "Zu den Drops springen"},
		"es": {`"card.reserve":"Reservar"`, "Ir a los drops"}, "fr": {`"card.reserve":"Réserver"`, "Aller aux drops"}, "ja": {`"card.reserve":"予約する"`, "ドロップ一覧へ移動"},
	} {
		body := answer(h, http.MethodGet, "/?lang="+tag).Body.String()
		for _, part := range []string{
			want[0], want[1], `<a href="?lang=` + tag + `" lang="` + tag + `" hreflang="` + tag + `" dir="ltr" aria-current="true">`,
			"English</a>", "Deutsch</a>", "Español</a>", "Français</a>", "日本語</a>",
		} {
			if !strings.Contains(body, part) {
				t.Errorf("%s has no %s", tag, part)
			}
		}
	}
}

// A shop's own languages are found like ours: nearby ones, those of another script, and those that run from the right.
func TestLanguages_AShopMayAddItsOwn(t *testing.T) {
	texts := func(name string) messages { return messages{"page.language": {one: name}} }
	l, err := newLanguages(map[string]messages{"pt": texts("Português"), "zh-Hans": texts("简体"), "zh-Hant": texts("繁體"), "ar": texts("العربية"), "de": texts("Deutsch!")})
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string]string{
		"pt-BR": "Português", "zh-TW": "繁體", "zh-HK, en": "繁體", "zh-CN": "简体", "zh": "简体", "ar-EG": "العربية", "de": "Deutsch!", "it": "English",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", accept)
		if s, _ := l.of(r); s.Name() != want || (s.Dir() == "rtl") != (accept == "ar-EG") {
			t.Errorf("%s: %s, %s", accept, s.Name(), s.Dir())
		}
	}
	if german := l.named("de"); german.texts.text("card.reserve") != "Reservieren" {
		t.Errorf("a text that the shop does not overrule is %q", german.texts.text("card.reserve"))
	}
	if arabic := l.named("ar"); arabic.texts.text("card.reserve") != "Reserve" {
		t.Errorf("a text that a new language lacks is %q", arabic.texts.text("card.reserve"))
	}
}

func FuzzLanguages(f *testing.F) {
	for _, s := range []string{"", "de-CH,de;q=0.9", "*", "x-private", "i-klingon;q=0.000", "a-b-c-d-e-f,,,;q", "\x00", "zh-Hant-TW-x-y"} {
		f.Add(s, s)
	}
	l, err := newLanguages(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, accept, chosen string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Accept-Language"] = []string{accept}
		r.URL.RawQuery = "lang=" + chosen
		if s, _ := l.of(r); s == nil || s.texts.text("card.reserve") == "" {
			t.Fatal("no language")
		}
	})
}
