package cli

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
	"time"
)

// testdata/dotenv.json has the results of the package dotenv 17.4.2 (16.6.1 agrees) for each text, as JSON of its
// parse().
func TestParseDotenv_ReadsAsNodesDotenvDoes(t *testing.T) {
	text, err := os.ReadFile("testdata/dotenv.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text string            `json:"text"`
		Want map[string]string `json:"want"`
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 130 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if got := parseDotenv(c.Text).values(); !maps.Equal(got, c.Want) {
			t.Errorf("%q\n got %q\nwant %q", c.Text, got, c.Want)
		}
	}
}

// Lines that mean less than they seem to are named by number, and never quoted.
func TestParseDotenv_NamesOddLines(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\n\n# no\nB=2":                    "",
		"A=1\nhunter2\nB=2":                   "line 2 is not NAME=value and is ignored",
		"\n\nA='x\ny'\nhunter2":               "line 5 is not NAME=value and is ignored",
		"A=1\r\n\r\nhunter2 = 1":              "",
		"A=1\n\n\nB=\"hunter2":                "line 4 begins with a quote that has no end",
		"A='a' 'hunter2'":                     "",
		"A=\xff\xfe":                          "line 1 is not UTF-8",
		strings.Repeat("hunter2\n", 100):      "line 5 is not NAME=value",
		"A:hunter2\nB: hunter2\nC=$hunter2#x": "line 1 is not NAME=value",
	} {
		faults := strings.Join(parseDotenv(text).faults, "; ")
		if (want == "") != (faults == "") || !strings.Contains(faults, want) || strings.Contains(faults, "hunter2") || strings.Contains(faults, "line 6") {
			t.Errorf("%.40q: %q, want %q", text, faults, want)
		}
	}
}

func TestReadDotenv_RefusesAnotherKindOfFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, want := range map[string]string{
		"\xff\xfeA\x00=\x001\x00":              "is UTF-16; save it as UTF-8",
		strings.Repeat("# x\n", maxDotenv/4+1): "is larger than 256 KiB",
	} {
		if err := os.WriteFile(dotenvFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readSettings(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzDotenv: any text can be read, in time that grows with its length. A value that is quoted and read again stays
// the same.
func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{"A=1", "export A='b\\'c'\nB: \"x\\ny\" # z", strings.Repeat("A='\\'\n", 100), "\ufeffA=`\n`", "A=\u2028'x'\u2028#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		for _, p := range parseDotenv(text).pairs {
			if strings.Trim(p.name, alphanumeric+"_.-") != "" || p.name == "" {
				t.Errorf("%q has the name %q", text, p.name)
			}
			if strings.ContainsAny(p.value, "'\\\r\uFFFD") {
				continue // cannot be written again
			}
			again := parseDotenv(p.name + "='" + p.value + "'").values()
			if len(again) != 1 || again[p.name] != p.value {
				t.Errorf("%q is read as %q, and that as %q", text, p, again)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d bytes took %s", len(text), took)
		}
	})
}
