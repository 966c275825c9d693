//go:build soak

package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/store/postgres"
)

// texts returns values for settings that are neither a number nor a choice.
func texts() map[string][]string {
	return map[string][]string{
		"client_encoding": {"LATIN1", "WIN1252", "EUC_JP", "SQL_ASCII", "GB18030"},
		"search_path":     {"''", "decoy, pg_catalog", "public, sneakerdrop"},
		"DateStyle":       {"German, DMY", "SQL, MDY", "Postgres, YMD"},
		"TimeZone":        {"Asia/Kathmandu", "PST8PDT", "-14"},
		"lc_messages":     {"C", "de_DE.UTF-8"},
		"lc_monetary":     {"C"}, "lc_numeric": {"C"}, "lc_time": {"C"},
		"timezone_abbreviations":           {"India"},
		"default_table_access_method":      {"heap"},
		"default_tablespace":               {"pg_default", ""},
		"temp_tablespaces":                 {"pg_default", ""},
		"default_text_search_config":       {"pg_catalog.german"},
		"application_name":                 {"sneakerdrop", "x"},
		"log_min_duration_statement":       {"0"},
		"restrict_nonsystem_relation_kind": {"view, foreign-table"},
		"backtrace_functions":              {"exec_simple_query"},
		"wal_consistency_checking":         {"all"},
		"createrole_self_grant":            {"set, inherit"},
	}
}

// Every setting that ALTER ROLE accepts is tried at its extremes: the shop works as before, or the setting is refused
// by name. This also checks that the list of settings that matter is complete.
func TestSession_EverySettingOfARole(t *testing.T) {
	sh := newShop(t)
	type setting struct {
		name, kind, least, most string
		enum                    []string
	}
	rows, err := sh.admin.Query(t.Context(), `SELECT name, vartype, coalesce(min_val, ''), coalesce(max_val, ''), coalesce(enumvals, '{}')
		FROM pg_settings WHERE context IN ('user', 'superuser', 'backend', 'superuser-backend') ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s setting, err error) {
		return s, row.Scan(&s.name, &s.kind, &s.least, &s.most, &s.enum)
	})
	if err != nil {
		t.Fatal(err)
	}
	matters := make(map[string]bool)
	tried := 0
	for _, s := range all {
		for _, value := range valuesOf(s.name, s.kind, s.least, s.most, s.enum) {
			reset, err := sh.set(t, s.name, value)
			if err != nil {
				continue // does not exist here
			}
			tried++
			if err := sh.liveFor(t, postgres.Options{}); err != nil && (mayRefuse()[s.name] == "" || !strings.Contains(err.Error(), mayRefuse()[s.name])) {
				t.Errorf("%s = %q: %v", s.name, value, err)
			}
			if err := sh.liveFor(t, postgres.Unpinned()); err != nil && mayRefuse()[s.name] == "" {
				t.Logf("matters: %s = %q: %v", s.name, value, err)
				if slow := errors.Is(err, context.DeadlineExceeded); !slow {
					matters[s.name] = true
				} else if _, pinned := postgres.Settings()[s.name]; !pinned {
					t.Errorf("%s = %q makes all slow, and is not set by us", s.name, value)
				}
			}
			reset()
		}
	}
	if tried < 300 {
		t.Errorf("only %d values were tried", tried)
	}
	t.Logf("%d settings, %d values", len(all), tried)
	for name := range matters {
		if _, known := mattering()[name]; !known {
			t.Errorf("%s matters and is not in the list", name)
		}
	}
}

func (sh *shop) liveFor(t *testing.T, o postgres.Options) error {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := sh.live(ctx, "", o)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("took too long"), err)
	}
	return err
}

// valuesOf returns the extremes of a setting.
func valuesOf(name, kind, least, most string, enum []string) []string {
	if name == "idle_session_timeout" { // less than a second may pass before our first statement
		return []string{"1s", most}
	}
	switch kind {
	case "bool":
		return []string{"on", "off"}
	case "enum":
		return enum
	case "integer":
		values := []string{least, most}
		if least == "0" || least == "-1" {
			values = append(values, "1", "0")
		}
		return slices.Compact(values)
	case "real":
		return []string{least, most}
	}
	return texts()[name]
}
