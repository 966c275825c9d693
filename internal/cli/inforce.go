package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
)

// secretFlags are settings whose values are never shown.
var secretFlags = map[string]bool{"jwt-secret": true, "stripe-key": true, "stripe-webhook-secret": true, "checkout-secret": true}

// inForce returns the settings of the running command, and where each one comes from. It leaves out everything
// secret.
func (con *console) inForce() (settings []api.Setting) {
	given := con.onCommandLine()
	for _, f := range con.parsed.Flags() {
		if !configurable(f) {
			continue
		}
		s := api.Setting{Name: f.Name, Source: api.FromDefault, Help: f.OrigHelp, Secret: secretFlags[f.Name], Value: shownValue(f.Target)}
		switch from := con.settings.source[f.Name]; {
		case given[f.Name]:
			s.Source = api.FromFlag
		case strings.HasSuffix(from, inDotenv):
			s.Source, s.From = api.FromFile, from
		case from != "":
			s.Source, s.From = api.FromEnvironment, from
		case f.HasDefault:
			s.Value = f.Default
		case f.Target.IsZero():
			s.Value = ""
		}
		if s.Secret && s.Value != "" {
			s.Value = "set"
		}
		settings = append(settings, s)
	}
	return settings
}

// onCommandLine returns the flags that the command line sets.
func (con *console) onCommandLine() map[string]bool {
	given := make(map[string]bool)
	for _, p := range con.parsed.Path {
		if p.Flag != nil && !p.Resolved {
			given[p.Flag.Name] = true
		}
	}
	return given
}

// shownValue returns a setting's value in the form that its flag accepts, without passwords.
func shownValue(v reflect.Value) string {
	switch t := v.Interface().(type) {
	case database:
		return t.shown()
	case natsURLs:
		shown := make([]string, len(t))
		for i, u := range t {
			shown[i] = withoutUser(u)
		}
		return strings.Join(shown, ",")
	case limits:
		return shownRules(t.Rules)
	case address:
		if !t.given {
			return ""
		}
		return t.String()
	case drop.Currency:
		return t.Code
	case slog.Level:
		return strings.ToLower(t.String())
	case hsts:
		return shownTime(time.Duration(t))
	case holdTime, wait, idle, patience, pause, life, payTime:
		return shownTime(time.Duration(v.Int()))
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(items, ",")
}

// shown returns the database in the form of its setting, without user and password.
func (d database) shown() string {
	if d.file != "" {
		return "sqlite:" + d.file
	}
	return "postgres://" + d.hosts + "/" + d.name
}

func shownRules(rules limit.Rules) string {
	var shown []string
	for _, class := range slices.Sorted(maps.Keys(rules)) {
		shown = append(shown, fmt.Sprintf("%s=%v/%v", class, rules[class].PerSecond, rules[class].Burst))
	}
	return cmp.Or(strings.Join(shown, ","), "off")
}

// shownTime writes a duration without trailing zeros: 61m instead of 1h1m0s.
func shownTime(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0s"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	default:
		return d.String()
	}
}

// withoutUser returns a URL without its user name and password, or token.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "set"
	}
	return u.Scheme + "://" + u.Host + u.Path
}
