package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Each condition selects the statuses that it is named after, and there is no other status.
func TestStatuses_AreThoseOfTheirConditions(t *testing.T) {
	for condition, is := range map[string]func(drop.Status) bool{
		store.WhereActive:    func(s drop.Status) bool { return s == drop.Active },
		store.WhereCompleted: func(s drop.Status) bool { return s == drop.Completed },
		store.WhereCounts:    drop.Status.Counts,
		store.WhereUnpaid:    drop.Status.Unpaid,
	} {
		var operator string
		var than int
		if _, err := fmt.Sscanf(condition, "status %s %d", &operator, &than); err != nil {
			t.Fatal(condition, err)
		}
		for s := drop.Status(0); s <= 6; s++ {
			if s.Known() != (s >= 1 && s <= 4) {
				t.Errorf("%s is known: %t", s, s.Known())
			}
			chosen := map[string]bool{"=": int(s) == than, "<=": int(s) <= than, ">": int(s) > than}
			if want, ok := chosen[operator]; !ok || s.Known() && want != is(s) {
				t.Errorf("%q of %s is %t, want %t", condition, s, want, is(s))
			}
		}
	}
}

// Statements and indexes use these sets and no others.
func TestStatuses_OfStatementsHaveNames(t *testing.T) {
	named := []string{store.WhereActive, store.WhereCompleted, store.WhereCounts, store.WhereUnpaid}
	condition := regexp.MustCompile(`\bstatus( \+ 0)?\s*(=|<>|!=|<=?|>=?|IN|BETWEEN)\s*[\d(]+`)
	used := make(map[string]bool)
	for _, pattern := range []string{"*/sql.go", "postgres/sql_*.go", "*/migrations/*.sql"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 2 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range condition.FindAllString(string(text), -1) {
				found = strings.Replace(found, " + 0", "", 1) // " + 0" keeps a statement from using an index
				used[found] = true
				if found != "status BETWEEN 1" && !slices.Contains(named, found) { // 1 to 4 are all the statuses
					t.Errorf("%s: %q is no set of statuses that has a name", file, found)
				}
			}
		}
	}
	for _, condition := range named {
		if !used[condition] {
			t.Errorf("no statement asks for %q", condition)
		}
	}
}
