package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestSettings_TheReferenceIsWhatTheCommandsTake compares docs/reference/settings.md with the flags of each command:
// every flag with its default, and no flag that does not exist. docs/reference/commands.md has every command.
func TestSettings_TheReferenceIsWhatTheCommandsTake(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, append(kinds(), kong.Name("sneakerdrop"))...)
	if err != nil {
		t.Fatal(err)
	}
	documented := documentedFlags(t)
	names, err := os.ReadFile("../../docs/reference/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]bool{"database": true, "wait-for-database": true, "log-level": true, "log-format": true}
	for _, provider := range new(paymentFlags).ofProvider() {
		for flag := range provider {
			shared[flag] = true
		}
	}
	shared["payments"], shared["demo-at-once"] = true, true
	commands := 0
	for _, leaf := range parser.Model.Leaves(true) {
		command := strings.TrimPrefix(leaf.FullPath(), "sneakerdrop ")
		commands++
		if !strings.Contains(string(names), command) {
			t.Errorf("docs/reference/commands.md does not name %s", command)
		}
		for _, flag := range leaf.Flags {
			if !configurable(flag) || shared[flag.Name] && command != "serve" {
				continue
			}
			key := command + " --" + flag.Name
			row, found := documented[key]
			switch delete(documented, key); {
			case !found:
				t.Errorf("docs/reference/settings.md does not have %s", key)
			case !defaultIs(row, flag):
				t.Errorf("docs/reference/settings.md says that %s is %s by default; it is %q", key, row, flag.Default)
			}
		}
	}
	for key := range documented {
		t.Errorf("docs/reference/settings.md has %s, which is no setting", key)
	}
	if commands < 12 {
		t.Errorf("only %d commands found", commands)
	}
}

// documentedFlags returns the column "Default" of each row, by the command and the flag.
func documentedFlags(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\|(?: `([a-z ]+)` \\|)? `--([a-z0-9-]+)` \\| ([^|]*) \\| [^|]+ \\|$").FindAllStringSubmatch(string(text), -1) {
		command := row[1]
		if command == "" {
			command = "serve"
		}
		documented[command+" --"+row[2]] = row[3]
	}
	return documented
}

// defaultIs compares a default that the command line declares; one that it works out is in words.
func defaultIs(cell string, flag *kong.Flag) bool {
	switch {
	case flag.IsBool():
		return cell == "off"
	case flag.Required:
		return cell == "required"
	case flag.Default == "" || flag.Default == "*":
		return cell != "" && cell != "off" || strings.Contains(flag.Help, "default off")
	}
	return cell == "`"+flag.Default+"`" || strings.Contains(flag.Help, "default "+strings.Trim(cell, "`"))
}
