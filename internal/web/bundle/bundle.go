package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"sneakerdrop/internal/negotiate"
)

// engines are the oldest browsers that the pages are for, those of late 2022: esbuild writes no newer syntax.
// docs/howto/run-a-drop.md names them for people.
var engines = []api.Engine{
	{Name: api.EngineChrome, Version: "107"},
	{Name: api.EngineEdge, Version: "107"},
	{Name: api.EngineFirefox, Version: "106"},
	{Name: api.EngineSafari, Version: "16.1"},
}

// styles lists the style sheets of each page, in their order.
var styles = map[string][]string{
	"shop":   {"shared/base.css", "shop/shop.css"},
	"verify": {"shared/base.css", "verify/verify.css"},
	"admin":  {"shared/base.css", "vendor/uplot.css", "admin/admin.css", "admin/records.css", "admin/webhooks.css"},
}

// notice stands in front of each bundle, as the licenses of the code in it demand.
const notice = "/* Includes Preact (MIT) and htm (Apache-2.0): see vendor/LICENSE-preact.txt and vendor/LICENSE-htm.txt beside this file. */"

// bundle joins the modules and the style sheets of each page, so that a browser needs one round trip for each kind
// and not one for each file. It takes the pages' files by their paths, and returns PAGE.js, PAGE.js.map and PAGE.css
// of each page, start.js and hash. The source maps point to the modules.
func bundle(contents map[string][]byte) (map[string][]byte, error) {
	made := make(map[string][]byte)
	for page, sheets := range styles {
		script, sources, err := bundleModules(contents, page)
		if err != nil {
			return nil, fmt.Errorf("bundle the modules of %s: %w", page, err)
		}
		sheet, err := bundleStyles(contents, sheets)
		if err != nil {
			return nil, fmt.Errorf("bundle the style sheets of %s: %w", page, err)
		}
		made[page+".js"], made[page+".js.map"], made[page+".css"] = script, sources, sheet
	}
	inline, err := minify(contents["shared/start.js"], api.LoaderJS, []api.Engine{{Name: api.EngineIE, Version: "9"}})
	if err != nil {
		return nil, fmt.Errorf("minify shared/start.js: %w", err)
	}
	made["start.js"] = inline
	all := maps.Clone(contents)
	maps.Copy(all, made)
	made["hash"] = []byte(negotiate.FolderOf(all))
	return made, nil
}

// given is esbuild's name for the place where modules are: the contents, and never the disk.
const given = "given"

// bundleModules joins what PAGE/main.js imports. An absolute path, such as that of the Socket.IO client, stays an
// import of its own.
func bundleModules(contents map[string][]byte, page string) (script, sourceMap []byte, err error) {
	resolve := func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		if strings.HasPrefix(a.Path, "/") {
			return api.OnResolveResult{Path: a.Path, External: true}, nil
		}
		name := path.Join(path.Dir(a.Importer), a.Path)
		if contents[name] == nil {
			return api.OnResolveResult{}, fmt.Errorf("there is no module %s", name)
		}
		return api.OnResolveResult{Path: name, Namespace: given}, nil
	}
	load := func(a api.OnLoadArgs) (api.OnLoadResult, error) { //nolint:unparam // as esbuild wants it
		text := string(contents[a.Path])
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"./" + page + "/main.js"}, Outfile: page + ".js", TsconfigRaw: "{}",
		Bundle: true, Format: api.FormatESModule, Engines: engines, Charset: api.CharsetUTF8,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Sourcemap: api.SourceMapLinked, SourcesContent: api.SourcesContentExclude,
		Banner: map[string]string{"js": notice}, LogLevel: api.LogLevelSilent,
		Plugins: []api.Plugin{{Name: given, Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: ".*"}, resolve)
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: given}, load)
		}}},
	})
	if err := faultOf(append(result.Errors, result.Warnings...)); err != nil {
		return nil, nil, err
	}
	for _, f := range result.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			sourceMap = bytes.ReplaceAll(f.Contents, []byte(`"`+given+":"), []byte(`"`))
		} else {
			script = f.Contents
		}
	}
	return script, sourceMap, nil
}

func bundleStyles(contents map[string][]byte, names []string) ([]byte, error) {
	var all []byte
	for _, name := range names {
		if contents[name] == nil {
			return nil, fmt.Errorf("there is no style sheet %s", name)
		}
		all = append(append(all, contents[name]...), '\n')
	}
	return minify(all, api.LoaderCSS, engines)
}

func minify(text []byte, kind api.Loader, oldest []api.Engine) ([]byte, error) {
	result := api.Transform(string(text), api.TransformOptions{
		Loader: kind, Engines: oldest, Charset: api.CharsetUTF8, TsconfigRaw: "{}", LogLevel: api.LogLevelSilent,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
	})
	return result.Code, faultOf(append(result.Errors, result.Warnings...))
}

// faultOf turns what esbuild found into one error that names files and lines; nil: it found nothing.
func faultOf(messages []api.Message) error {
	var faults []error
	for _, m := range messages {
		at := ""
		if l := m.Location; l != nil {
			at = fmt.Sprintf("%s:%d:%d: ", strings.TrimPrefix(l.File, given+":"), l.Line, l.Column)
		}
		faults = append(faults, errors.New(at+m.Text))
	}
	return errors.Join(faults...)
}
