package api

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
)

// maxHeader is the most characters of a list's first line that can be the name of its column.
const maxHeader = 40

// readBuyers reads a list of buyers, one a line in the first column. emails says that some are named by their emails.
// Errors name the line, but not what it says.
func readBuyers(text string) (buyers []drop.Hash, emails bool, err error) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comma, rows.FieldsPerRecord, rows.ReuseRecord = separatorOf(text), -1, true
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return buyers, emails, nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, false, drop.Invalid("list", fmt.Sprintf("must be CSV; the quotes in line %d are wrong", wrong.StartLine))
		}
		if err != nil {
			return nil, false, err
		}
		cell := strings.TrimSpace(row[0])
		buyer, byEmail, ok := readBuyer(cell)
		switch {
		case first && isHeader(cell):
			continue
		case !ok && strings.Join(row, "") == "":
			continue // an empty line of a spreadsheet
		case !ok:
			line, _ := rows.FieldPos(0)
			return nil, false, drop.Invalid("list", fmt.Sprintf("must have in line %d a buyer's number, an email, or the SHA-256 of an email in hexadecimal digits", line))
		case len(buyers) == drop.MaxNewPasses:
			return nil, false, drop.Invalid("list", fmt.Sprintf("must have at most %d buyers; send the rest with access in further calls", drop.MaxNewPasses))
		}
		buyers, emails = append(buyers, buyer), emails || byEmail
	}
}

// separatorOf returns what separates the columns: the first comma, semicolon or tab, as spreadsheets use all three.
func separatorOf(text string) rune {
	if i := strings.IndexAny(text, ",;\t"); i >= 0 {
		return rune(text[i])
	}
	return ','
}

// isHeader reports whether the first cell of a list names its column.
func isHeader(cell string) bool {
	begin, _ := utf8.DecodeRuneInString(cell)
	return unicode.IsLetter(begin) && !strings.Contains(cell, "@") && utf8.RuneCountInString(cell) <= maxHeader
}

func readBuyer(cell string) (buyer drop.Hash, byEmail, ok bool) {
	if hash, err := hex.DecodeString(cell); err == nil && len(hash) == sha256.Size {
		return drop.HashEmail(drop.Hash(hash)), true, true
	}
	if isDigits(cell) {
		n, err := strconv.ParseInt(cell, 10, 64)
		return drop.HashBuyer(drop.UserID(n)), false, err == nil && n >= 1 && n <= drop.MaxSafeInteger
	}
	if !strings.Contains(cell, "@") {
		return buyer, false, false
	}
	named, err := drop.NameBuyer("", cell)
	if err != nil {
		return buyer, false, false
	}
	email := named.Email
	if named.Refusal != nil { // stored before emails had a normal form
		email, _ = named.Spellings()
	}
	return drop.HashEmail(sha256.Sum256([]byte(email))), true, true
}
