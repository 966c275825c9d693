package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The server embeds the bundles as they were made last. Whoever changed a module since then has to make them again.
func TestBundled_IsMadeOfTheModulesAsTheyAre(t *testing.T) {
	contents, err := read("..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := bundle(contents)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(filepath.Join("..", bundled))
	if err != nil {
		t.Fatal(err)
	}
	delete(got, readme)
	for name, content := range want {
		if string(got[name]) != string(content) {
			t.Errorf("internal/web/bundled/%s is not what the modules make: run make build, and commit it too", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("nothing makes internal/web/bundled/%s: run make build", name)
	}
}

// The generator writes what has changed, and nothing else: make sees files that did not change as they were.
func TestRun_WritesWhatHasChanged(t *testing.T) {
	web := filepath.Join(t.TempDir(), "internal", "web")
	if err := os.CopyFS(filepath.Join(web, assets), os.DirFS(filepath.Join("..", assets))); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(web, "../../client"), os.DirFS("../../../client")); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(web, bundled)
	if err := os.CopyFS(to, os.DirFS(filepath.Join("..", bundled))); err != nil {
		t.Fatal(err)
	}
	gone, kept := filepath.Join(to, "gone.js"), filepath.Join(to, "admin.js")
	if err := os.WriteFile(gone, []byte("// of a page that is no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(kept, 0o400); err != nil {
		t.Fatal(err)
	}
	sheet := filepath.Join(web, assets, "shop/shop.css")
	style, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sheet, append(style, "\n.added{color:red}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(kept)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(web); err != nil {
		t.Fatal(err)
	}
	if made, err := os.ReadFile(filepath.Join(to, "shop.css")); err != nil || !strings.Contains(string(made), ".added{color:red}") {
		t.Errorf("the style sheet has not what was added to it: %v", err)
	}
	if after, err := os.Stat(kept); err != nil || after.ModTime() != before.ModTime() {
		t.Errorf("a file that has not changed was written: %v", err)
	}
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("what nobody makes is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(to, readme)); err != nil {
		t.Error(err)
	}
}

// What is wrong in a module is reported with the file and the line.
func TestBundle_NamesFileAndLineOfAFault(t *testing.T) {
	contents, err := read("..")
	if err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[string]string{
		"import { a } from \"./nowhere.js\";\nexport const start = a;\n":        "there is no module shop/nowhere.js",
		"import { a } from \"./catalog.js\";\nexport const start = a;\n":        `shop/link.js:1:9: `,
		"export const start = 1;\nexport const measure = ;\n":                   "shop/link.js:2:",
		"import \"preact\";\nexport const start = 1;\n":                         "there is no module shop/preact",
		"import \"../../../../etc/passwd\";\nexport const start = 1, link = 2;": "there is no module ../../../etc/passwd",
	} {
		broken := maps.Clone(contents)
		broken["shop/link.js"] = []byte(fault)
		if _, err := bundle(broken); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", fault, err, want)
		}
	}
	missing := maps.Clone(contents)
	delete(missing, "shop/shop.css")
	if _, err := bundle(missing); err == nil || !strings.Contains(err.Error(), "there is no style sheet shop/shop.css") {
		t.Error(err)
	}
}
