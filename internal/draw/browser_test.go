package draw_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sneakerdrop/internal/draw"
)

// page is the implementation of the page /verify.
const page = "../web/assets/verify/draw.js"

// harness answers each line of standard input, {record, receipt} in base64, with what the page finds.
const harness = `
import { createInterface } from "node:readline";
import { find, Problem, verify } from "./draw.mjs";
for await (const line of createInterface({ input: process.stdin })) {
  const { Record, Receipt } = JSON.parse(line);
  let said;
  try {
    const record = await verify(Buffer.from(Record, "base64"));
    said = { Outcome: Receipt && (await find(record, Buffer.from(Receipt, "base64"))) };
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    said = { Problem: [e.key.replace("verify.", ""), ...Object.values(e.values)].join(" ") };
  }
  console.log(JSON.stringify(said));
}
`

type question struct{ Record, Receipt []byte }

type answer struct {
	Problem string
	Outcome *struct {
		Entry          draw.EntryID
		Won, Withdrawn bool
		Size, Removed  string
		Place          int
	}
}

// inBrowser asks the page's implementation, in Node.js.
func inBrowser(t *testing.T, questions []question) []answer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Node.js is not installed")
		}
		t.Skip("Node.js is not installed")
	}
	module, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"draw.mjs": string(module), "harness.mjs": harness} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var in bytes.Buffer
	for _, q := range questions {
		if err := json.NewEncoder(&in).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "harness.mjs"))
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	answers := make([]answer, 0, len(questions))
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions: %s", len(answers), len(questions), stderr.String())
	}
	return answers
}

func encoded(t testing.TB, v interface{ Encode() ([]byte, error) }) []byte {
	t.Helper()
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Both implementations find 1,000 random records right, and say the same of one receipt of each.
func TestBrowser_AgreesOnRandomRecords(t *testing.T) {
	const records = 1000
	questions, wants := make([]question, records), make([]draw.Outcome, records)
	for seed := range uint64(records) {
		s := shop(t, seed)
		r, receipts := s.drawn(t, 1+s.IntN(60))
		receipt := receipts[s.IntN(len(receipts))]
		questions[seed] = question{encoded(t, r), encoded(t, &receipt)}
		var err error
		if wants[seed], err = r.Find(&receipt); err != nil {
			t.Fatal(err)
		}
	}
	for i, got := range inBrowser(t, questions) {
		if got.Problem != "" || got.Outcome == nil {
			t.Errorf("seed %d: the page finds %s in %s", i, got.Problem, questions[i].Record)
			continue
		}
		o := got.Outcome
		if said := (draw.Outcome{Won: o.Won, Size: o.Size, Place: o.Place, Withdrawn: o.Withdrawn, Removed: o.Removed}); said != wants[i] {
			t.Errorf("seed %d: the page says %+v of %s, want %+v", i, said, questions[i].Receipt, wants[i])
		}
	}
}

// A random byte of a random record is another: where Go finds that, so does the page, except for what only the
// signature of the beacon shows.
func TestBrowser_AgreesOnChangedRecords(t *testing.T) {
	questions, faults := make([]question, 600), make([]error, 600)
	for i := range questions {
		s := shop(t, uint64(i))
		r, _ := s.drawn(t, s.IntN(12))
		record := encoded(t, r)
		record[s.IntN(len(record))] = `0123456789abcdef"{}[],: x`[s.IntN(25)]
		questions[i], faults[i] = question{Record: record}, verify(record)
	}
	for i, got := range inBrowser(t, questions) {
		wrong := faults[i] != nil && !strings.HasPrefix(faults[i].Error(), "the beacon's signature is not the network's")
		if wrong != (got.Problem != "") {
			t.Errorf("seed %d: Go says %v, the page %q of %s", i, faults[i], got.Problem, questions[i].Record)
		}
	}
}

// The page finds and names what Go finds: each tampering, and each receipt of somebody else.
func TestBrowser_NamesEachTampering(t *testing.T) {
	var questions []question
	var names []string
	var wants []string
	for name, c := range tamperings {
		questions, names, wants = append(questions, question{Record: c.apply(t)}), append(names, name), append(wants, c.js)
	}
	r, receipts := comet(t)
	for name, change := range wrongReceipts {
		receipt := receipts[1]
		change(&receipt)
		questions, names = append(questions, question{encoded(t, r), encoded(t, &receipt)}), append(names, name)
		switch words := strings.Fields(name); {
		case receipt.Entry == 0:
			wants = append(wants, "bad_field entry")
		case receipt.Drop != 7:
			wants = append(wants, fmt.Sprintf("other_drop %d 7", receipt.Drop))
		case receipt.Entry > 9:
			wants = append(wants, fmt.Sprintf("no_entry %d", receipt.Entry))
		default:
			wants = append(wants, fmt.Sprintf("other_%s %d", words[len(words)-4], receipt.Entry))
		}
	}
	for i, got := range inBrowser(t, questions) {
		if said := hashes.ReplaceAllString(got.Problem, "…"); said != wants[i] && (wants[i] == "" || !strings.HasPrefix(said, wants[i]+" ")) {
			t.Errorf("%s: the page says %q, want %q", names[i], said, wants[i])
		}
	}
}
