package cli

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// tell logs what is odd about the settings of a command that is about to run, in the command's own log format.
func (con *console) tell(parsed *kong.Context) {
	var l logging
	for _, f := range parsed.Flags() {
		switch v := f.Target.Addr().Interface().(type) {
		case *slog.Level:
			l.LogLevel = *v
		case *logFormat:
			l.LogFormat = *v
		}
	}
	log := l.logger(con.stderr)
	s := con.settings
	for _, note := range slices.Concat(s.notes, s.unknownNames(parsed.Model), s.repeated(parsed.Model), s.disagreements(parsed)) {
		log.Warn(note)
	}
	if links := s.serviceLinks(); len(links) > 0 {
		log.Info(fmt.Sprintf("Kubernetes has set %d variables such as %s for a Service; they are not settings. "+
			"Set enableServiceLinks: false in the pod's spec to avoid them", len(links), links[0]))
	}
}

// ourTests are variables that only this project's tests read.
var ourTests = regexp.MustCompile(`^SNEAKERDROP_TEST_(POSTGRES|PG_BIN|CHROMIUM|PICTURES|HOLD|CLUSTER_\w+)$`)

// Kubernetes sets these in every container near a Service whose name begins with sneakerdrop. SNEAKERDROP_PORT is
// recognized only by its value.
var (
	serviceName = regexp.MustCompile(`^SNEAKERDROP(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

func isServiceLink(name, value string) bool {
	return serviceName.MatchString(name) || strings.HasSuffix(name, "_PORT") && servicePort.MatchString(value)
}

// each calls f for every variable with our prefix, in any spelling, that has a value.
func (s *settings) each(f func(l layer, name, spelt, value string)) {
	for _, l := range s.layers {
		for _, name := range slices.Sorted(maps.Keys(l.values)) {
			value, set := l.get(name)
			if spelt := canonical(name); set && strings.HasPrefix(spelt, prefix) {
				f(l, name, spelt, value)
			}
		}
	}
}

// canonical returns the correct spelling of a variable's name.
func canonical(name string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}

func (s *settings) serviceLinks() (names []string) {
	s.each(func(_ layer, name, _, value string) {
		if isServiceLink(name, value) {
			names = append(names, name)
		}
	})
	return names
}

// known returns the variables that stand for a flag of any command.
func known(app *kong.Application) map[string]bool {
	names := make(map[string]bool)
	for _, command := range app.Leaves(false) {
		for _, f := range command.Flags {
			if configurable(f) {
				names[variable(f.Name)] = true
			}
		}
	}
	return names
}

// unknownNames names the variables with our prefix that are not settings, and what was probably meant.
func (s *settings) unknownNames(app *kong.Application) (notes []string) {
	names := known(app)
	s.each(func(l layer, name, spelt, value string) {
		if names[name] || ourTests.MatchString(name) || isServiceLink(name, value) {
			return
		}
		note := fmt.Sprintf("%s%s is not a setting and is ignored", name, l.where)
		if meant := meantBy(spelt, names); meant != "" {
			note += "; did you mean " + meant + "?"
		} else {
			note += "; sneakerdrop serve --help lists them all"
		}
		notes = append(notes, note)
	})
	return notes
}

// meantBy returns the setting with the nearest name, if one is near enough. It also recognizes one of the original's
// names with our prefix.
func meantBy(spelt string, names map[string]bool) string {
	if original := strings.TrimPrefix(spelt, prefix); originals[original] != "" {
		return variable(originals[original]) + " or " + original
	}
	best, distance := "", max(2, (len(spelt)-len(prefix))/3)+1
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if d := edits(spelt, name); d < distance {
			best, distance = name, d
		}
	}
	for name := range names { // HOLD for HOLD_TIME
		if best == "" && strings.HasPrefix(spelt, name+"_") {
			return name
		}
	}
	return best
}

// edits returns how many letters have to be inserted, removed or changed to turn one word into the other.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// repeated names the settings that a file contains twice with different values.
func (s *settings) repeated(app *kong.Application) (notes []string) {
	names := known(app)
	for _, l := range s.layers {
		said := make(map[string]bool)
		for _, p := range l.pairs {
			if (names[p.name] || originals[p.name] != "") && p.value != l.values[p.name] && !said[p.name] {
				said[p.name] = true
				notes = append(notes, fmt.Sprintf("%s%s appears more than once; the last one counts", p.name, l.where))
			}
		}
	}
	return notes
}
