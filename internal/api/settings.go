package api

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// About is what operators may see of the program and its settings.
type About struct {
	Version string
	Started time.Time
	// Settings are all settings of the command, in its order.
	Settings []Setting
}

// Setting is one setting in force. It contains no secret.
type Setting struct {
	Name   string // the flag, without dashes
	Value  string // empty: not set; "set" for a secret
	Source SettingSource
	From   string // the environment variable that it came from; empty: none
	Help   string
	Secret bool
}

// SettingSource says where a setting's value comes from.
type SettingSource string

// The sources of settings.
const (
	FromDefault     SettingSource = "default"
	FromFlag        SettingSource = "flag"
	FromEnvironment SettingSource = "environment"
	FromFile        SettingSource = "file"
)

type (
	settingsAnswer struct {
		Version  string          `json:"version" doc:"Version of sneakerdrop"`
		Commit   *string         `json:"commit" doc:"The commit that the program was built from; null: unknown"`
		Go       string          `json:"go" doc:"Version of Go that the program was built with"`
		Started  instant         `json:"started" doc:"When this process started"`
		Database databaseAnswer  `json:"database"`
		Bus      string          `json:"bus" enum:"none,connected,disconnected" doc:"Connection to the shop's other servers. none: this server asks the database each second"`
		SignIn   bool            `json:"sign_in" doc:"Whether buyers and operators need tokens"`
		Settings []settingAnswer `json:"settings" nullable:"false" doc:"All settings in force"`
	}
	databaseAnswer struct {
		Engine   string   `json:"engine" doc:"PostgreSQL, SQLite or memory"`
		Version  *string  `json:"version" doc:"null: the engine has no version or does not answer"`
		Warnings []string `json:"warnings" nullable:"false" doc:"Why it may lose confirmed sales"`
	}
	settingAnswer struct {
		Name   string        `json:"name" doc:"The flag without dashes"`
		Value  *string       `json:"value" doc:"null: not set. A secret that is set reads as set"`
		Source SettingSource `json:"source" enum:"default,flag,environment,file"`
		From   *string       `json:"from" doc:"The environment variable that set it; null: none"`
		Secret bool          `json:"secret" doc:"Whether the value is secret and not shown"`
		Help   string        `json:"help"`
	}
)

// showSettings also answers while the database is away; the database's version is then missing.
func (a *api) showSettings(w http.ResponseWriter, r *http.Request) error {
	answer := settingsAnswer{
		Version: a.about.Version, Commit: commit(), Go: runtime.Version(), Started: instant(drop.TimeOf(a.about.Started)), Bus: "none", SignIn: a.identity != nil,
		Database: databaseAnswer{Warnings: []string{}}, Settings: make([]settingAnswer, len(a.about.Settings)),
	}
	if a.bus != nil {
		answer.Bus = "disconnected"
		if a.bus.Connected() {
			answer.Bus = "connected"
		}
	}
	for _, c := range a.engine.Cautions() {
		answer.Database.Warnings = append(answer.Database.Warnings, c.What+" ("+c.Source+")")
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if version, err := engine.Ask(ctx, a.engine, func(s store.Records) (version string, err error) {
		if s, ok := s.(interface {
			Server(ctx context.Context) (engine, version string, err error)
		}); ok {
			answer.Database.Engine, version, err = s.Server(ctx)
		}
		return version, err
	}); err == nil {
		answer.Database.Version = unlessZero(&version)
	}
	for i := range a.about.Settings {
		s := &a.about.Settings[i]
		answer.Settings[i] = settingAnswer{s.Name, unlessZero(&s.Value), s.Source, unlessZero(&s.From), s.Secret, s.Help}
	}
	writeJSON(w, &answer)
	return nil
}

// commit is the commit that the program was built from, with a + if files had been changed; nil: unknown.
func commit() *string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var revision, changed string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if revision == "" {
		return nil
	}
	return new(revision + changed)
}
