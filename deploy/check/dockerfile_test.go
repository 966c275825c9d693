package check

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/opencontainers/go-digest"
)

// anyImage stands for the base images, which the test does not fetch.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{"Env": []string{"PATH=/bin"}}})
	return ref, digest.FromBytes(config), config, err
}

// `docker build --check` runs the same code.
func TestDockerfile_IsWellFormed(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if found := lintDockerfile(t, text); found != "" {
		t.Error(found)
	}
	broken := strings.Replace(string(text), "COPY --from=build /image/ /", "COPY --from=nowhere /image/ /\nMAINTAINER nobody", 1)
	if lintDockerfile(t, []byte(broken)) == "" {
		t.Error("a broken Dockerfile passes")
	}
}

func lintDockerfile(t *testing.T, text []byte) string {
	t.Helper()
	source := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", text)
	source.Definition = new(llb.Definition)
	results, err := dockerfile2llb.DockerfileLint(t.Context(), text, dockerfile2llb.ConvertOpt{SourceMap: source, MetaResolver: anyImage{}})
	if err != nil {
		return err.Error()
	}
	var found []string
	if results.Error != nil {
		found = append(found, results.Error.Message)
	}
	for _, w := range results.Warnings {
		found = append(found, w.RuleName+": "+w.Detail)
	}
	return strings.Join(found, "\n")
}

// Everything that the build copies from the context exists, and .dockerignore does not leave it out.
func TestDockerfile_FindsWhatItCopies(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parser.Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	copied := 0
	for _, line := range tree.AST.Children {
		if !strings.EqualFold(line.Value, "COPY") || strings.Contains(line.Original, "--from=") {
			continue
		}
		for n := line.Next; n != nil && n.Next != nil; n = n.Next {
			copied++
			if _, err := os.Stat(filepath.Join("../..", n.Value)); err != nil {
				t.Error(err)
			}
			if strings.Contains(string(ignored), "\n"+n.Value+"\n") {
				t.Errorf("%s is copied but ignored", n.Value)
			}
		}
	}
	if copied < 3 {
		t.Errorf("only %d files are copied", copied)
	}
	for _, needed := range []string{"go.mod", "go.sum", "Makefile", "cmd/sneakerdrop", "internal", "socketio"} {
		if strings.Contains("\n"+string(ignored), "\n"+needed+"\n") {
			t.Errorf("%s is ignored", needed)
		}
	}
}
