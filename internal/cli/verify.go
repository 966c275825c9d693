package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"sneakerdrop/internal/draw"
)

// verifyCommand runs a draw again from its public record. It needs no server, no database and no network.
type verifyCommand struct {
	File    string `arg:"" help:"The record of the draw, as the server published it; - reads standard input."`
	Receipt string `placeholder:"FILE" help:"A buyer's receipt: also say where its entry came (default: none)."`
}

func (c *verifyCommand) run(_ context.Context, con *console) error {
	name, r, err := c.record()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(con.stdout, "%s: the draw of drop %d, %q, is correct: %s\n", name, r.Drop.ID, r.Drop.Name, drawn(r))
	fmt.Fprintf(con.stdout, "Compare these with what the shop published before the draw:\n  commitment %s\n  root       %s\n  seal       %s\n",
		r.Commitment, r.Root, r.Seal)
	if c.Receipt == "" {
		return nil
	}
	where, err := placed(r, c.Receipt)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Receipt, err)
	}
	fmt.Fprintf(con.stdout, "%s: %s\n", c.Receipt, where)
	return nil
}

// record reads and verifies the record. It also returns the name of the file for people.
func (c *verifyCommand) record() (name string, r *draw.Record, err error) {
	name = c.File
	var data []byte
	if name == "-" {
		name = "standard input"
		data, err = readAtMost(os.Stdin, draw.MaxBytes)
	} else {
		data, err = readFile(name, draw.MaxBytes)
	}
	if err == nil {
		r, err = draw.Parse(data)
	}
	if err == nil {
		err = r.Verify()
	}
	return name, r, err
}

// placed says where the entry of a receipt came.
func placed(r *draw.Record, file string) (string, error) {
	data, err := readFile(file, draw.MaxReceiptBytes)
	if err != nil {
		return "", err
	}
	receipt, err := draw.ParseReceipt(data)
	if err != nil {
		return "", err
	}
	outcome, err := r.Find(receipt)
	if err != nil {
		return "", err
	}
	entry := fmt.Sprintf("entry %s ", thousands(int64(receipt.Entry)))
	switch {
	case outcome.Won && outcome.Size == "":
		return entry + "won", nil
	case outcome.Won:
		return entry + fmt.Sprintf("won size %q", outcome.Size), nil
	case outcome.Withdrawn:
		return entry + "was withdrawn before the draw", nil
	case outcome.Removed != "":
		return entry + fmt.Sprintf("was removed before the draw: %q", outcome.Removed), nil
	default:
		return entry + fmt.Sprintf("is number %s among %s runners-up", thousands(int64(outcome.Place)), thousands(int64(len(r.RunnersUp)))), nil
	}
}

// drawn counts what became of the entries.
func drawn(r *draw.Record) string {
	var withdrawn, removed int64
	for i := range r.Entries {
		if r.Entries[i].Withdrawn {
			withdrawn++
		} else if !r.Entries[i].Drawn() {
			removed++
		}
	}
	return fmt.Sprintf("%s, %s, %s runners-up, %s withdrawn, %s removed",
		count(int64(r.Count), "entry"), count(int64(len(r.Winners)), "winner"), thousands(int64(len(r.RunnersUp))), thousands(withdrawn), thousands(removed))
}

func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unnamed(err)
	}
	data, err := readAtMost(f, most)
	return data, errors.Join(err, f.Close())
}

// unnamed removes the file's name, which the sentence has already.
func unnamed(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// readAtMost reads one byte more than most if there are more, so that the reader of the data sees that it is too long.
func readAtMost(from io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	return data, unnamed(err)
}
