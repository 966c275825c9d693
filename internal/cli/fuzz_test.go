package cli

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzSettings: whatever is in .env, in a variable or in a flag, a start either uses all of it, or is refused in one
// sentence that quotes no password.
func FuzzSettings(f *testing.F) {
	f.Chdir(f.TempDir())
	flags := settingNames(f)
	values := []string{
		"", "x", "60s", "-1", "read=1/2", "10.0.0.0/8,::1", "https://a.example,*", "localhost:3000", "sqlite:", "true", "99999999999999999999", "a\nb",
	}
	for i := range flags { // only a few, because each start declares the whole command line
		f.Add("PORT="+values[i%7], values[i%len(values)], byte(i), values[(5*i+3)%len(values)])
	}
	f.Add("", "postgres://u:hunter2@h/d", byte(slices.Index(flags, "database")), "")
	for _, seed := range []string{"A", "=b", "export X='a\nb'", "\xef\xbb\xbfPORT=1", "SNEAKERDROP_HOLD=1s\nSNEAKERDROP_X=1", "DB_PASSWORD=hunter2\nDB_PORT=x", "PORT=${PORT}", "# a\n\n", "X=\"", "A:\tb", "A\x00=b"} {
		f.Add(seed, "", byte(0), "")
	}
	f.Fuzz(func(t *testing.T, dotenv, value string, flag byte, variable string) {
		if strings.Contains(value+variable, "\x00") {
			t.Skip("no system passes that on")
		}
		if err := os.WriteFile(dotenvFile, []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
		name := flags[int(flag)%len(flags)]
		var c commands
		con := &console{stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)}
		_, done, err := con.parse(&c, []string{"serve", "--" + name + "=" + value}, []string{
			prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "=" + variable, "DB_NAME=" + variable,
		})
		if err == nil {
			if !done && c.Serve.Database == (database{}) {
				t.Errorf("%q, --%s=%q, %q: no database", dotenv, name, value, variable)
			}
			return
		}
		sentence := con.sentence(err)
		if sentence == "" || strings.ContainsAny(sentence, "\n\r") {
			t.Errorf("%q, --%s=%q, %q: %q", dotenv, name, value, variable, sentence)
		}
		if name == "database" && !strings.Contains(dotenv, "hunter2") && strings.Contains(sentence, "hunter2") {
			t.Errorf("%q, --%s=%q, %q: the sentence has the password: %s", dotenv, name, value, variable, sentence)
		}
	})
}

// settingNames returns the flags of serve that take a value.
func settingNames(f *testing.F) (names []string) {
	f.Helper()
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for field := range t.Fields() {
			switch {
			case field.Anonymous:
				walk(field.Type)
			case field.Type.Kind() != reflect.Bool:
				if name := field.Tag.Get("name"); name != "" {
					names = append(names, name)
				} else {
					names = append(names, dashed(field.Name))
				}
			}
		}
	}
	walk(reflect.TypeFor[serveCommand]())
	if len(names) < 15 {
		f.Fatalf("serve has only the flags %v", names)
	}
	help := new(bytes.Buffer)
	con := &console{stdout: help, stderr: help}
	if _, _, err := con.parse(new(commands), []string{"serve", "--help"}, nil); err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(help.String(), "--"+name+"=") {
			f.Fatalf("serve has no flag --%s", name)
		}
	}
	return names
}

// dashed turns a field's name into a flag's name, as kong does.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := 'A' <= r && r <= 'Z'
		before := i > 0 && 'a' <= name[i-1] && name[i-1] <= 'z'
		after := i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z'
		if upper && i > 0 && (before || after) {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
