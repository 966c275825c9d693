// Command scaling says what a crowd takes: replicas, sockets, commits. It computes, and measures nothing: its inputs
// are docs/bench.json and the figures in costs.go, and the same inputs give the same answer. docs/SCALING.md has its
// output and says what the model is.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

func main() {
	file := flag.String("bench", "docs/bench.json", "what make bench-http measured")
	document := flag.String("write", "", "a document whose tables, each behind its <!-- name -->, become those of today")
	flag.Parse()
	if err := run(*file, *document); err != nil {
		fmt.Fprintln(os.Stderr, "scaling: "+err.Error())
		os.Exit(1)
	}
}

func run(file, document string) error {
	b, err := readBench(file)
	if err != nil {
		return err
	}
	c, err := costsOf(b)
	if err != nil {
		return err
	}
	tables := report(b, c)
	if document == "" {
		fmt.Print(tables)
		return nil
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	for part := range strings.SplitSeq(tables, "\n\n") {
		mark, _, _ := strings.Cut(part, "\n")
		old := regexp.MustCompile(regexp.QuoteMeta(mark) + `\n(\|.*\n)*`)
		text = old.ReplaceAllLiteral(text, []byte(strings.TrimSpace(part)+"\n"))
	}
	return os.WriteFile(document, text, 0o644)
}
