package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// typed is what people typed, as the pages' scripts call it, where it becomes text.
var typed = regexp.MustCompile(
	`\$\{(?:(?:drop|d|p|b|hold|purchase|made|e|buyer|who)\.(?:name|username|email|size)|s\.size|short\(buyer\.name\)|shop|catalog\.drops\.get\(\w+\.dropId\)\?\.name)` +
		`(?: (?:\?\?|\|\|) (?:"[^"]*"|` + "`[^`]*`" + `))?\}`)

// allowed are the places of it that need no isolation: attributes that are no text for people, comparisons and texts
// of our own.
var allowed = regexp.MustCompile("(?:key|value|alt|id|name|for|aria-labelledby|aria-controls|aria-describedby|href)=\\$\\{$|`[a-z]+[- ]\\$\\{$|=\\$\\{`[^`]*\\$\\{$")

// TestPages_IsolateWhatPeopleTyped reads the scripts: a name in Hebrew, or one that a row of before has with U+202E
// in it, must not turn what stands beside it.
func TestPages_IsolateWhatPeopleTyped(t *testing.T) {
	seen := 0
	err := fs.WalkDir(assets, "assets", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".js") || strings.Contains(path, "vendor") {
			return err
		}
		script, err := fs.ReadFile(assets, path)
		for i, line := range strings.Split(string(script), "\n") {
			for _, at := range typed.FindAllStringIndex(line, -1) {
				before, after := line[:at[0]+len("${")], line[at[1]:]
				if strings.HasSuffix(line[:at[0]], "<bdi>") && strings.HasPrefix(after, "</bdi>") {
					seen++
				} else if !allowed.MatchString(before) {
					t.Errorf("%s:%d: %s stands alone", path, i+1, line[at[0]:at[1]])
				}
			}
		}
		return err
	})
	if err != nil || seen < 15 {
		t.Errorf("%d places with <bdi> were seen, %v", seen, err)
	}
}
