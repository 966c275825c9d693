package text

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

const (
	zwnj, zwj = '\u200C', '\u200D'
	keycap    = '\u20E3'
	blackFlag = '\U0001F3F4'
	virama    = 9 // canonical combining class
	// maxContext is how many characters on each side decide whether a joiner is needed. A joiner needs a letter on each
	// side, with only marks and joiners in between.
	maxContext = 64
	// maxMarks limits the marks on one letter. Hebrew and Tibetan have up to five; "Zalgo" covers the lines around
	// it.
	maxMarks = 8
)

// flags are the three emoji that are written with tags (England, Scotland, Wales). Elsewhere tags are hidden text.
var flags = []string{
	"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
	"\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
	"\U0001F3F4\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F",
}

// emoji has the blocks that contain emoji.
var emoji = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xA9, 0xA9, 1},
		{0xAE, 0xAE, 1},
		{0x203C, 0x203C, 1},
		{0x2049, 0x2049, 1},
		{0x2122, 0x2122, 1},
		{0x2139, 0x2139, 1},
		{0x2190, 0x21FF, 1},
		{0x2300, 0x23FF, 1},
		{0x24C2, 0x24C2, 1},
		{0x25A0, 0x27BF, 1},
		{0x2900, 0x297F, 1},
		{0x2B00, 0x2BFF, 1},
		{0x3030, 0x3030, 1},
		{0x303D, 0x303D, 1},
		{0x3297, 0x3297, 1},
		{0x3299, 0x3299, 1},
	},
	R32:         []unicode.Range32{{0x1F000, 0x1FAFF, 1}},
	LatinOffset: 2,
}

// blank has characters of visible categories that show nothing: Braille without dots, the object replacement
// character, two blanks of Egyptian hieroglyphs, and the musical null note. Hangul fillers are default-ignorable
// already.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{0x2800, 0x2800, 1}, {0xFFFC, 0xFFFC, 1}},
	R32: []unicode.Range32{{0x13441, 0x13442, 1}, {0x1D159, 0x1D159, 1}},
}

// shown are the categories of characters that a font can show. Marks need a character to be on.
var shown = []*unicode.RangeTable{unicode.L, unicode.N, unicode.P, unicode.S, unicode.M}

// joining are the scripts whose keyboards have joiners. A joiner without effect there was not typed to hide anything.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
	unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer,
}

// kashida stretches a word in Arabic script and in N'Ko, and has no meaning.
const kashida = "\u0640\u07FA"

func isControl(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// picker goes through a text and keeps what its kind allows.
type picker struct {
	kind    kind
	text    []rune
	kept    []rune
	marks   int // number in a row
	dropped bool
	fault   Fault // the first one
}

// pick returns a text without what breaks a rule, whether anything was dropped, and the first broken rule.
func (k kind) pick(s string) (kept string, dropped bool, fault Fault) {
	p := picker{kind: k, text: []rune(s)}
	p.kept = make([]rune, 0, len(p.text))
	for i := 0; i < len(p.text); {
		i += p.step(i)
	}
	return string(p.kept), p.dropped, p.fault
}

// step handles what begins at index i, and returns how many runes that is.
func (p *picker) step(i int) int {
	r := p.text[i]
	if n := p.flagAt(i); n > 0 {
		p.kept, p.marks = append(p.kept, p.text[i:i+n]...), 0
		return n
	}
	switch {
	case r > ' ' && r <= '~': // most characters of most names; no table needed
		p.keep(r)
		p.marks = 0
	case p.kind == body && (r == '\n' || r == '\t' || unicode.Is(unicode.Zs, r)):
		p.keep(r)
		p.marks = 0
	case unicode.Is(unicode.Zs, r):
		p.space()
	case isControl(r):
		p.refuse(control, r)
	case isJoiner(r):
		p.joiner(i)
	case unicode.Is(unicode.Variation_Selector, r):
		p.selector(i)
	case unicode.Is(unicode.Cf, r) || unicode.In(r, blank, unicode.Other_Default_Ignorable_Code_Point):
		p.refuse(invisible, r)
	case !unicode.In(r, shown...):
		p.refuse(unassigned, r)
	case unicode.Is(unicode.M, r):
		p.mark(r)
	case p.kind == name && strings.ContainsRune(kashida, r):
		p.dropped = true
	default:
		p.keep(r)
		p.marks = 0
	}
	return 1
}

func (p *picker) keep(r rune) { p.kept = append(p.kept, r) }

// refuse drops a rune and records the rule that it breaks.
func (p *picker) refuse(rule Fault, r rune) {
	p.dropped = true
	if p.fault != "" {
		return
	}
	p.fault = rule
	if strings.Contains(string(rule), "%s") {
		p.fault = Fault(fmt.Sprintf(string(rule), fmt.Sprintf("U+%04X", r)))
	}
}

// space keeps one blank of a sequence.
func (p *picker) space() {
	if p.afterBlank() {
		p.dropped = true
		return
	}
	p.keep(' ')
}

func (p *picker) afterBlank() bool {
	return len(p.kept) == 0 || unicode.IsSpace(p.kept[len(p.kept)-1])
}

// mark keeps a combining mark that is on a character.
func (p *picker) mark(r rune) {
	p.marks++
	switch {
	case p.afterBlank():
		p.refuse(loneMark, r)
	case p.marks > maxMarks:
		p.refuse(manyMarks, r)
	default:
		p.keep(r)
	}
}

// selector keeps the variation of an emoji in a title. In a name it is dropped, and so is that of a Chinese
// character: two names that differ only in that are the same.
func (p *picker) selector(i int) {
	var before, after rune
	if i > 0 {
		before = p.text[i-1]
	}
	if i+1 < len(p.text) {
		after = p.text[i+1]
	}
	look := p.text[i] == '\uFE0E' || p.text[i] == '\uFE0F'
	picture := look && (unicode.Is(emoji, before) || after == keycap && strings.ContainsRune("0123456789#*", before))
	switch {
	case p.kind == email || !picture && !unicode.Is(unicode.Han, before):
		p.refuse(invisible, p.text[i])
	case picture && (p.kind == title || p.kind == body):
		p.keep(p.text[i])
	default:
		p.dropped = true
	}
}

// joiner keeps what joins emoji, and joiners where a script needs them (RFC 5892, CONTEXTJ). Elsewhere in such a
// script they are dropped.
func (p *picker) joiner(i int) {
	switch {
	case p.joinsEmoji(i) || p.joinsLetters(i):
		p.keep(p.text[i])
	case p.kind != email && i > 0 && unicode.In(p.text[i-1], joining...):
		p.dropped = true
	default:
		p.refuse(invisible, p.text[i])
	}
}

func (p *picker) joinsEmoji(i int) bool {
	before := i - 1
	if before > 0 && p.text[before] == '\uFE0F' {
		before--
	}
	return p.text[i] == zwj && before >= 0 && i+1 < len(p.text) && unicode.Is(emoji, p.text[before]) && unicode.Is(emoji, p.text[i+1])
}

// joiners knows which letters a joiner may stand between.
var joiners = precis.NewFreeform()

func (p *picker) joinsLetters(i int) bool {
	if i == 0 || isJoiner(p.text[i-1]) {
		return false
	}
	if norm.NFC.PropertiesString(string(p.text[i-1])).CCC() == virama {
		return true
	}
	ofWord := func(r rune) bool { return isJoiner(r) || unicode.In(r, unicode.L, unicode.M) }
	from, to := i, i
	for from > max(0, i-maxContext) && ofWord(p.text[from-1]) {
		from--
	}
	for to < min(len(p.text), i+maxContext) && ofWord(p.text[to]) {
		to++
	}
	// Other joiners of the word are checked on their own.
	word := slices.Concat(withoutJoiners(p.text[from:i]), p.text[i:i+1], withoutJoiners(p.text[i+1:to]))
	_, err := joiners.String(string(word))
	return err == nil
}

func isJoiner(r rune) bool { return r == zwnj || r == zwj }

func withoutJoiners(word []rune) []rune { return slices.DeleteFunc(slices.Clone(word), isJoiner) }

// flagAt returns how many runes the flag written with tags has that begins at i, or 0.
func (p *picker) flagAt(i int) int {
	if p.text[i] != blackFlag {
		return 0
	}
	for _, flag := range flags {
		if f := []rune(flag); len(p.text)-i >= len(f) && slices.Equal(p.text[i:i+len(f)], f) {
			return len(f)
		}
	}
	return 0
}
