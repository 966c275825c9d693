package markdown

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// shift moves all headings down by that many levels, to the sixth at most.
func shift(document ast.Node, levels int) {
	for block := document.FirstChild(); block != nil; block = block.NextSibling() {
		if h, ok := block.(*ast.Heading); ok {
			h.Level = min(h.Level+levels, 6)
		}
		if block.Type() == ast.TypeBlock {
			shift(block, levels)
		}
	}
}

// tables makes tables of paragraphs as long as the text has no more than maxCells cells; more stay paragraphs.
type tables struct{ parser.ParagraphTransformer }

var cellsKey = parser.NewContextKey()

// Transform implements parser.ParagraphTransformer.
func (t tables) Transform(paragraph *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines, widest := paragraph.Lines(), 0
	for i := range lines.Len() {
		line := lines.At(i)
		widest = max(widest, bytes.Count(line.Value(reader.Source()), []byte{'|'})+1)
	}
	if widest == 1 {
		return
	}
	cells, _ := pc.Get(cellsKey).(int)
	if cells += widest * lines.Len(); cells > maxCells {
		return
	}
	pc.Set(cellsKey, cells)
	t.ParagraphTransformer.Transform(paragraph, reader, pc)
}

// links writes links and images whose address is safe. Of others it writes the text alone.
type links struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (links) RegisterFuncs(to renderer.NodeRendererFuncRegisterer) {
	to.Register(ast.KindLink, link)
	to.Register(ast.KindAutoLink, autoLink)
	to.Register(ast.KindImage, image)
}

// address returns a destination as an attribute has it, and empty where it is not safe. resolve says that it may have
// the entities and backslashes of Markdown.
//
// It looks at the very text that the browser gets. In that, control characters, blanks and backslashes are escaped:
// browsers ignore the first two in places, and take the last for slashes.
func address(destination []byte, resolve bool, safe func(*url.URL) bool) string {
	escaped := string(util.URLEscape(destination, resolve))
	if escaped == "" || strings.HasPrefix(escaped, "//") {
		return "" // two slashes begin the name of another host
	}
	u, err := url.Parse(escaped)
	if err != nil || u.User != nil || !safe(u) {
		return ""
	}
	return string(util.EscapeHTML([]byte(escaped)))
}

// leads admits links to the web, to an email address, and to a place on the same site.
func leads(u *url.URL) bool { return u.Scheme == "mailto" && u.Opaque != "" || pictures(u) }

// pictures admits what is loaded from the web or the same site.
func pictures(u *url.URL) bool {
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "":
		return u.Host == ""
	default:
		return false
	}
}

const rel = `" rel="nofollow noopener`

func link(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	href := address(n.Destination, true, leads)
	switch {
	case href == "":
	case entering:
		_, _ = w.WriteString(`<a href="` + href + rel + title(n.Title) + `">`)
	default:
		_, _ = w.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	to := n.URL(source)
	if n.AutoLinkType == ast.AutoLinkEmail && !bytes.HasPrefix(bytes.ToLower(to), []byte("mailto:")) {
		to = append([]byte("mailto:"), to...)
	}
	label := string(util.EscapeHTML(n.Label(source)))
	if href := address(to, false, leads); href != "" && !inLink(n) {
		label = `<a href="` + href + rel + `">` + label + "</a>"
	}
	_, _ = w.WriteString(label)
	return ast.WalkContinue, nil
}

// inLink reports whether a node is in a link that is written: HTML has no links in links.
func inLink(n ast.Node) bool {
	for n = n.Parent(); n != nil; n = n.Parent() {
		if around, ok := n.(*ast.Link); ok && address(around.Destination, true, leads) != "" {
			return true
		}
	}
	return false
}

func image(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	alt := string(util.EscapeHTML(textOf(nil, n, source)))
	if src := address(n.Destination, true, pictures); src != "" {
		alt = `<img src="` + src + `" alt="` + alt + title(n.Title) + `" loading="lazy">`
	}
	_, _ = w.WriteString(alt)
	return ast.WalkSkipChildren, nil
}

// title returns the attribute behind an open one, in whose quotes it ends.
func title(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	return `" title="` + string(util.EscapeHTML(plainText(text)))
}

// textOf appends the text of a node without what marks it up.
func textOf(b []byte, node ast.Node, source []byte) []byte {
	for c := node.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			value := c.Segment.Value(source)
			if !c.IsRaw() {
				value = plainText(value)
			}
			b = append(b, value...)
			if c.SoftLineBreak() || c.HardLineBreak() {
				b = append(b, ' ')
			}
		case *ast.String:
			b = append(b, c.Value...)
		case *ast.AutoLink:
			b = append(b, c.Label(source)...)
		default:
			b = textOf(b, c, source)
		}
	}
	return b
}

// plainText resolves the backslashes and entities of Markdown.
func plainText(b []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(b)))
}
