// Command bundle makes internal/web/bundled from the modules and style sheets of the pages. `make build` and
// `go generate ./internal/web` run it. The server only embeds what it makes, so that esbuild is no part of the server.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Where everything is, seen from internal/web.
const (
	assets  = "assets"
	library = "../../client/sneakerdrop.js"
	bundled = "bundled"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

// run makes the bundles of the pages in the folder web. It writes only files that have changed, and removes those that
// are no longer part of a bundle.
func run(web string) error {
	contents, err := read(web)
	if err != nil {
		return err
	}
	made, err := bundle(contents)
	if err != nil {
		return err
	}
	to := filepath.Join(web, bundled)
	before, err := readAll(to)
	if err != nil {
		return err
	}
	for name, content := range made {
		if old, ok := before[name]; ok && string(old) == string(content) {
			continue
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil { //nolint:gosec // everybody may read it
			return err
		}
	}
	for name := range before {
		if made[name] == nil && name != readme {
			if err := os.Remove(filepath.Join(to, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readme says in the folder that its other files are generated.
const readme = "README.md"

// read reads what bundle needs.
func read(web string) (map[string][]byte, error) {
	contents, err := readAll(filepath.Join(web, assets))
	if err != nil {
		return nil, err
	}
	contents["client/sneakerdrop.js"], err = os.ReadFile(filepath.Join(web, library))
	return contents, err
}

// readAll reads all files below a folder, by their paths in it.
func readAll(folder string) (map[string][]byte, error) {
	contents := make(map[string][]byte)
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contents[name], err = fs.ReadFile(root, name)
		return err
	})
	return contents, err
}
