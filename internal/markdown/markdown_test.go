package markdown_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"sneakerdrop/internal/markdown"
)

// What an operator writes looks as Markdown does everywhere.
func TestToHTML_RendersMarkdown(t *testing.T) {
	for source, want := range map[string]string{
		"":                      "",
		" \n\t\n":               "",
		"Hello *there*":         "<p>Hello <em>there</em></p>\n",
		"a\n\nb":                "<p>a</p>\n<p>b</p>\n",
		"# Fit\n## Wide feet":   "<h2>Fit</h2>\n<h3>Wide feet</h3>\n",
		"> # Quoted":            "<blockquote>\n<h2>Quoted</h2>\n</blockquote>\n",
		"- # In a list":         "<ul>\n<li>\n<h2>In a list</h2>\n</li>\n</ul>\n",
		"###### Deep":           "<h6>Deep</h6>\n",
		"Fit\n===":              "<h2>Fit</h2>\n",
		"- a\n- b":              "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n",
		"3. c":                  "<ol start=\"3\">\n<li>c</li>\n</ol>\n",
		"~~120~~ 90":            "<p><del>120</del> 90</p>\n",
		"`<b>`":                 "<p><code>&lt;b&gt;</code></p>\n",
		"5 < 6 & \"7\"":         "<p>5 &lt; 6 &amp; &quot;7&quot;</p>\n",
		"a  \nb":                "<p>a<br>\nb</p>\n",
		"[Maps](/maps \"A&B\")": "<p><a href=\"/maps\" rel=\"nofollow noopener\" title=\"A&amp;B\">Maps</a></p>\n",
		"<https://a.example/?b=1&c=2>": "<p><a href=\"https://a.example/?b=1&amp;c=2\" rel=\"nofollow noopener\">" +
			"https://a.example/?b=1&amp;c=2</a></p>\n",
		"see https://a.example.":                   "<p>see <a href=\"https://a.example\" rel=\"nofollow noopener\">https://a.example</a>.</p>\n",
		"ann@a.example":                            "<p><a href=\"mailto:ann@a.example\" rel=\"nofollow noopener\">ann@a.example</a></p>\n",
		"![A *red* shoe](https://a.example/1.jpg)": "<p><img src=\"https://a.example/1.jpg\" alt=\"A red shoe\" loading=\"lazy\"></p>\n",
		"EU | US\n--:|---\n42 | 9": "<table>\n<thead>\n<tr>\n<th align=\"right\">EU</th>\n<th>US</th>\n</tr>\n</thead>\n" +
			"<tbody>\n<tr>\n<td align=\"right\">42</td>\n<td>9</td>\n</tr>\n</tbody>\n</table>\n",
	} {
		if got := string(markdown.ToHTML(source, 2)); got != want {
			t.Errorf("%q:\n got %q\nwant %q", source, got, want)
		}
	}
	if got := markdown.ToHTML("# A\n###### F", 3); got != "<h3>A</h3>\n<h6>F</h6>\n" {
		t.Errorf("from the third level on: %q", got)
	}
}

// hostile are texts that try to do something to the page. None may leave more than text behind.
var hostile = []string{
	"<script>alert(1)</script>",
	"<script\n>alert(1)\n</script>",
	"a <img src=x onerror=alert(1)> b",
	"<svg/onload=alert(1)>",
	"<!-- --><iframe src=//evil.example></iframe>",
	"<style>body{display:none}</style>",
	"</div></main><h1>Free</h1>",
	"<?php x ?> <![CDATA[<script>]]> <!DOCTYPE x>",
	"[x](javascript:alert(1))",
	"[x](JaVaScRiPt:alert(1))",
	"[x](java\tscript:alert(1))",
	"[x](<java\nscript:alert(1)>)",
	"[x](&#106;avascript:alert(1))",
	"[x](&#x6A;&#x61;vascript&colon;alert(1))",
	"[x](&amp;#106;avascript:alert(1))",
	"[x](javascript&Tab;:alert(1))",
	"[x](\\javascript:alert(1))",
	"[x]( javascript:alert(1))",
	"[x](<\u00a0javascript:alert(1)>)",
	"[x](<\u0001javascript:alert(1)>)",
	"[x](vbscript:x)",
	"[x](data:text/html,<script>alert(1)</script>)",
	"[x](data:image/png;base64,AAAA)",
	"[x](file:///etc/passwd)",
	"[x](blob:https://a.example/1)",
	"[x](//evil.example)",
	"[x](///evil.example)",
	"[x](//)",
	"[x](/\\evil.example)",
	"[x](\\\\evil.example)",
	"[x](/\t/evil.example)",
	"[x](https:evil.example)",
	"[x](https:///evil.example)",
	"[x](https://user:secret@evil.example)",
	"[x](https://a.example/\"onmouseover=alert(1))",
	"[x](https://a.example '\"><script>alert(1)</script>')",
	"[x](/a \"&quot;><script>alert(1)</script>\")",
	"[x]: javascript:alert(1)\n\n[x]",
	"![x](javascript:alert(1))",
	"![x](data:image/svg+xml,<svg onload=alert(1)>)",
	"![x](mailto:ann@a.example)",
	"![\"onerror=alert(1) x=\"](https://a.example/x)",
	"![&quot;onerror=alert(1) x=&quot;](https://a.example/x)",
	"![<script>alert(1)</script>](https://a.example/x)",
	"<javascript:alert(1)>",
	"<data:text/html,x>",
	"<JAVASCRIPT:alert(1)//@a.example>",
	"# x {onclick=alert(1)}",
	"# x {#id .class style=\"position:fixed\"}",
	"```js\" onclick=\"alert(1)\nx\n```",
	"```<script>\n</code></pre><script>alert(1)</script>\n```",
	"`</code><script>alert(1)</script>`",
	"a | b\n:-: | --- {style=x}\n<script>alert(1)</script> | </td></table><script>",
	"[<https://a.example>](https://b.example)",
	"[![x](javascript:alert(1))](javascript:alert(1))",
	"[a[b](https://a.example)c](https://b.example)",
	"&lt;script&gt;alert(1)&lt;/script&gt;",
	"&#60;script&#62;",
	"\x00<\x00script>",
	"\xff\xfe<script>",
	"www.evil.example\"onclick=alert(1)",
	"http://a.example/'onclick=alert(1)//",
	"ftp://a.example/x",
	"a@b.c\"onclick=x",
}

func TestToHTML_IsSafeWhateverTheTextSays(t *testing.T) {
	for _, source := range hostile {
		if fault := unsafe(string(markdown.ToHTML(source, 2))); fault != "" {
			t.Errorf("%q: %s\n%s", source, fault, markdown.ToHTML(source, 2))
		}
	}
}

// A link that is not safe leaves its text, and HTML is shown as it was written, so that operators see what is wrong.
func TestToHTML_ShowsWhatItRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"[Click *me*](javascript:alert(1))":     "<p>Click <em>me</em></p>\n",
		"![A shoe](data:image/png;base64,AAAA)": "<p>A shoe</p>\n",
		"<javascript:alert(1)>":                 "<p>javascript:alert(1)</p>\n",
		"<b>bold</b>":                           "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n",
		"<div>\n*a*\n</div>":                    "<p>&lt;div&gt;\n<em>a</em>\n&lt;/div&gt;</p>\n",
	} {
		if got := string(markdown.ToHTML(source, 2)); got != want {
			t.Errorf("%q:\n got %q\nwant %q", source, got, want)
		}
	}
}

// Each of these would grow without a bound, or makes other parsers slow. Without the bound the second one makes 9
// million cells.
func TestToHTML_IsBounded(t *testing.T) {
	const most = 20_000
	repeat := func(s string) string { return strings.Repeat(s, most/len(s)) }
	columns := most / 8
	for _, source := range []string{
		"[a]: https://a.example/" + strings.Repeat("b", most/2) + "\n\n" + strings.Repeat("[a] ", most/10),
		"|" + strings.Repeat("a|", columns) + "\n|" + strings.Repeat("-|", columns) + "\n" + strings.Repeat("|\n", columns),
		repeat("a|b\n-|-\n" + strings.Repeat("|\n", 400) + "\n"),
		repeat("["), repeat("![["), repeat("[a]("), repeat("*a_ "), repeat("> "), repeat("- "), repeat("1. "), repeat("`a``"),
		repeat("\""), repeat("~~a~ "), repeat("www."), repeat("a@"), repeat("[a]: b\n"), repeat("&quot;"), repeat("\t- a\n"),
		strings.Repeat("\U0001F45F", most), strings.Repeat("\"", 1<<20),
	} {
		got := string(markdown.ToHTML(source, 2))
		if len(got) > 600<<10 {
			t.Errorf("%.20q: %d bytes", source, len(got))
		}
		if fault := unsafe(got); fault != "" {
			t.Errorf("%.20q: %s", source, fault)
		}
	}
}

// allowed are the elements and attributes that the HTML may have.
var allowed = map[string][]string{
	"p": nil, "br": nil, "hr": nil, "blockquote": nil, "pre": nil, "code": {"class"}, "em": nil, "strong": nil, "del": nil,
	"h1": nil, "h2": nil, "h3": nil, "h4": nil, "h5": nil, "h6": nil, "ul": nil, "ol": {"start"}, "li": nil,
	"table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"align"}, "td": {"align"},
	"a": {"href", "rel", "title"}, "img": {"src", "alt", "title", "loading"},
}

// unsafe says what a browser would make of the HTML that it must not, or "".
func unsafe(out string) string {
	var open []string
	for z := html.NewTokenizer(strings.NewReader(out)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if len(open) > 0 {
				return fmt.Sprintf("%s is not closed", open)
			}
			return ""
		case html.CommentToken, html.DoctypeToken:
			return "a comment"
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				return fmt.Sprintf("%s closes %s", name, open)
			}
			open = open[:len(open)-1]
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if fault := unsafeTag(&tag); fault != "" {
				return fault
			}
			if tag.Data == "a" && slices.Contains(open, "a") {
				return "a link in a link"
			}
			if !slices.Contains([]string{"br", "hr", "img"}, tag.Data) {
				open = append(open, tag.Data)
			}
		case html.TextToken:
		}
	}
}

func unsafeTag(tag *html.Token) string {
	attributes, known := allowed[tag.Data]
	if !known {
		return "an element " + tag.Data
	}
	for _, a := range tag.Attr {
		switch {
		case !slices.Contains(attributes, a.Key):
			return fmt.Sprintf("%s has the attribute %s", tag.Data, a.Key)
		case a.Key == "href" || a.Key == "src":
			if !harmless(a.Val, a.Key == "href") {
				return fmt.Sprintf("%s leads to %q", tag.Data, a.Val)
			}
		case a.Key == "rel" && a.Val != "nofollow noopener":
			return "rel is " + a.Val
		}
	}
	if tag.Data == "a" && len(tag.Attr) < 2 {
		return "a link without rel"
	}
	return ""
}

// harmless says it by another way than the code does: as a browser reads an address, character by character.
func harmless(address string, link bool) bool {
	for _, r := range address {
		if r <= ' ' || r == '\\' || r == 0x7f {
			return false
		}
	}
	lower := strings.ToLower(address)
	colon, rest := strings.Index(lower, ":"), strings.IndexAny(lower, "/?#")
	if colon >= 0 && (rest < 0 || colon < rest) {
		return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") || link && strings.HasPrefix(lower, "mailto:")
	}
	return lower != "" && !strings.HasPrefix(lower, "//")
}
