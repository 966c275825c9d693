package api_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// linted is what the rules below read of the OpenAPI document. A pointer tells what is said to be empty from what is not said.
type linted struct {
	Info struct {
		Title, Description, Version string
		Contact                     struct{ Name, URL, Email string }
		License                     struct{ Name, Identifier, URL string }
	}
	Servers    []struct{ URL string }
	Tags       []struct{ Name, Description string }
	Paths      map[string]map[string]lintedOperation
	Components struct {
		SecuritySchemes map[string]json.RawMessage
		Schemas         map[string]json.RawMessage
	}
}

type lintedOperation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          *[]map[string][]string
	Parameters                        []struct{ Name, In string }
	Responses                         map[string]struct{ Description string }
}

// TestOpenAPI_KeepsTheRulesOfLinters has the rules of Redocly's and Spectral's recommended sets that can be broken here: clients are
// generated, and gateways configured, by tools that insist on them.
func TestOpenAPI_KeepsTheRulesOfLinters(t *testing.T) {
	for name, s := range map[string]*shop{"open": newShop(t), "with identity": newShop(t, secretProvider(t).signIn)} {
		t.Run(name, func(t *testing.T) {
			text := s.get("/openapi.json").body
			var d linted
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			if d.Info.Title == "" || d.Info.Description == "" || d.Info.Version == "" || d.Info.Contact.Name == "" {
				t.Errorf("info: %+v", d.Info)
			}
			if l := d.Info.License; l.Name == "" || (l.Identifier == "") == (l.URL == "") {
				t.Errorf("license: %+v", l)
			}
			if len(d.Servers) == 0 || slices.ContainsFunc(d.Servers, func(s struct{ URL string }) bool { return s.URL == "" || strings.Contains(s.URL, "example.com") }) {
				t.Errorf("servers: %v", d.Servers)
			}
			d.lint(t)
			for schema := range d.Components.Schemas {
				if !strings.Contains(text, `"$ref":"`+refPrefix+schema+`"`) {
					t.Errorf("schema %s is not used", schema)
				}
			}
		})
	}
}

func (d *linted) lint(t *testing.T) {
	t.Helper()
	ids, usedTags, usedSchemes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for path, methods := range d.Paths {
		if strings.ContainsAny(path, "?#") || len(path) > 1 && strings.HasSuffix(path, "/") || strings.Contains(path, "{}") {
			t.Errorf("path %s", path)
		}
		for method, op := range methods {
			where := method + " " + path
			if !regexp.MustCompile(`^[A-Za-z0-9-._~]+$`).MatchString(op.OperationID) || ids[op.OperationID] {
				t.Errorf("%s: operationId %q", where, op.OperationID)
			}
			ids[op.OperationID] = true
			if op.Summary == "" || op.Description == "" {
				t.Errorf("%s: no summary or description", where)
			}
			for _, tag := range op.Tags {
				usedTags[tag] = true
			}
			if op.Security == nil {
				t.Errorf("%s: security is not said; [] says that there is none", where)
			} else {
				for _, one := range *op.Security {
					for scheme := range one {
						usedSchemes[scheme] = true
					}
				}
			}
			if !op.answers('2') || !op.answers('4') {
				t.Errorf("%s: needs an answer of 2xx and one of 4xx", where)
			}
			seen := map[string]bool{}
			for _, p := range op.Parameters {
				if seen[p.In+" "+p.Name] {
					t.Errorf("%s: parameter %s twice", where, p.Name)
				}
				seen[p.In+" "+p.Name] = true
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s: there is no {%s}", where, p.Name)
				}
			}
		}
	}
	for _, tag := range d.Tags {
		if tag.Description == "" || !usedTags[tag.Name] {
			t.Errorf("tag %+v has no description or no operation", tag)
		}
		delete(usedTags, tag.Name)
	}
	if len(usedTags) > 0 {
		t.Errorf("tags that are not declared: %v", usedTags)
	}
	for scheme := range d.Components.SecuritySchemes {
		delete(usedSchemes, scheme)
	}
	if len(usedSchemes) > 0 {
		t.Errorf("security schemes that are not declared: %v", usedSchemes)
	}
}

func (o *lintedOperation) answers(class byte) bool {
	for status, r := range o.Responses {
		if status[0] == class && r.Description != "" {
			return true
		}
	}
	return false
}
