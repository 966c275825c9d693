// Package markdown turns the Markdown that operators write into HTML that is safe on a page. It knows CommonMark with
// tables, strikethrough and bare web addresses.
//
// The HTML has no scripts, styles, forms or frames, whatever the text says. HTML in the text is shown as text. Links
// lead to http, https, mailto or a place on the same site. Images come over http or https. All functions are safe for
// concurrent use.
package markdown

import (
	"bytes"
	"errors"
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	// maxSource is how many bytes of a text are read: 20,000 characters of 4 bytes each. The rest is cut off.
	maxSource = 80_000
	// maxHTML bounds what is written, in bytes. A link with a long address that is used a thousand times would
	// otherwise fill the memory. A text that needs more is shown as plain text, which needs at most maxSource times 5.
	maxHTML = 512 << 10
	// maxCells bounds the cells of all tables of a text. Each row gets all the cells of the head: 5,000 columns and
	// 5,000 short rows fit into 20,000 characters and would make 25 million cells.
	maxCells = 5_000
)

// ToHTML returns the HTML of a Markdown text. Its highest heading, a single #, becomes a heading of the level top (2
// for <h2>), the next one of the level below, down to <h6>. An empty text returns "".
//
// The work grows with the square of the length for a few hostile texts, to some 0.2 s for 20,000 characters. A page
// that a crowd asks for keeps what this returns.
func ToHTML(source string, top int) template.HTML {
	source = cut(source)
	if strings.TrimSpace(source) == "" {
		return ""
	}
	out, err := convert([]byte(source), top)
	if err != nil {
		return plain(source)
	}
	return template.HTML(out) //nolint:gosec // the renderer below writes nothing that is not safe, and a fuzz test holds it to that
}

var errTooLong = errors.New("the HTML is too long")

// convert returns an error where the parser panics, which no text is known to make it do: an operator's text must not
// take a page away.
func convert(source []byte, top int) (out string, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the parser failed")
		}
	}()
	document := converter.Parser().Parse(text.NewReader(source))
	shift(document, max(top, 1)-1)
	var b bounded
	if err := converter.Renderer().Render(&b, source, document); err != nil {
		return "", err
	}
	return b.String(), nil
}

// cut returns the text, cut off at maxSource bytes, and valid UTF-8.
func cut(source string) string {
	if len(source) > maxSource {
		source = source[:maxSource]
	}
	return strings.ToValidUTF8(source, string(utf8.RuneError))
}

// plain shows the text as it was written, in one paragraph.
func plain(source string) template.HTML {
	return template.HTML("<p>" + template.HTMLEscapeString(strings.TrimSpace(source)) + "</p>\n") //nolint:gosec // it is escaped
}

// bounded is a buffer that takes at most maxHTML bytes.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxHTML {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// converter parses everything that CommonMark has except HTML, which so becomes text.
var converter = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(), 999),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200),
		),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)),
	goldmark.WithRenderer(renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(links{}, 100),
		// The pages allow no style attributes: the alignment of a cell is an attribute of its own.
		util.Prioritized(extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
		util.Prioritized(html.NewRenderer(), 1000),
	))),
)
