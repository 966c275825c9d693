package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"sneakerdrop/internal/store"
)

func TestClassify_BeforeCommit(t *testing.T) {
	for state, want := range map[string]store.Class{
		"40001": store.ClassRolledBack, "40P01": store.ClassRolledBack, "25P03": store.ClassRolledBack,
		"25006": store.ClassRolledBack, "55P03": store.ClassRolledBack, "57014": store.ClassRolledBack,
		"53100": store.ClassExhausted, "53200": store.ClassExhausted, "53300": store.ClassExhausted,
		"08006": store.ClassUnavailable, "08P01": store.ClassUnavailable, "57P01": store.ClassUnavailable,
		"57P02": store.ClassUnavailable, "57P03": store.ClassUnavailable,
		"22012": store.ClassFault, "23505": store.ClassFault, "23514": store.ClassFault, "42P01": store.ClassFault,
		"XX000": store.ClassFault,
	} {
		if got := classify(fmt.Errorf("load: %w", &pgconn.PgError{Code: state})); got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
	for _, err := range []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, puddle.ErrClosedPool,
		&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, &pgconn.ConnectError{},
	} {
		if got := classify(fmt.Errorf("load: %w", err)); got != store.ClassUnavailable {
			t.Errorf("%v: %v, want unavailable", err, got)
		}
	}
	if got := classify(errors.New("cannot scan")); got != store.ClassFault {
		t.Errorf("an error of ours: %v, want fault", got)
	}
}

func TestClassify_OnceCommitWasSent(t *testing.T) {
	state := func(severity, code string) error { return &pgconn.PgError{SeverityUnlocalized: severity, Code: code} }
	for _, test := range []struct {
		name     string
		err      error
		atCommit bool
		want     store.Class
	}{
		{"a statement breaks a CHECK", state("ERROR", "23514"), false, store.ClassFault},
		{"a statement waits too long", state("ERROR", "55P03"), false, store.ClassRolledBack},
		{"a statement is cancelled", state("ERROR", "57014"), false, store.ClassRolledBack},
		{"a statement finds the disk full", state("ERROR", "53100"), false, store.ClassExhausted},
		{"COMMIT is cancelled", state("ERROR", "57014"), true, store.ClassUnknown},
		{"COMMIT fails by a rule", state("ERROR", "23505"), true, store.ClassFault},
		{"COMMIT cannot be serialized", state("ERROR", "40001"), true, store.ClassRolledBack},
		{"the server shuts down", state("FATAL", "57P01"), false, store.ClassUnknown},
		{"the server crashes", state("FATAL", "57P02"), true, store.ClassUnknown},
		{"a pooler lost the server", state("FATAL", "08P01"), true, store.ClassUnknown},
		{"a pooler lost the server, mildly", state("ERROR", "08006"), false, store.ClassUnknown},
		{"the session was idle too long", state("FATAL", "25P03"), false, store.ClassUnknown},
		{"the connection breaks", io.ErrUnexpectedEOF, false, store.ClassUnknown},
		{"time is over", context.DeadlineExceeded, false, store.ClassUnknown},
		{"a warning", fmt.Errorf("%w: standby", errWarned), true, store.ClassUnknown},
	} {
		if got := classifyCommit(fmt.Errorf("commit: %w", test.err), test.atCommit); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestWarns_ReadsTheSeverityThatIsNotTranslated(t *testing.T) {
	for _, test := range []struct {
		severity, unlocalized string
		want                  bool
	}{
		{"WARNING", "WARNING", true},
		{"WARNUNG", "WARNING", true},
		{"ПРЕДУПРЕЖДЕНИЕ", "WARNING", true},
		{"WARNING", "", true}, // a pooler's own warning
		{"ERROR", "ERROR", true},
		{"something new", "SOMETHING", true},
		{"", "", true},
		{"WARNING", "LOG", false}, // a misleading translation
		{"LOG", "LOG", false},
		{"LOG", "", false},
		{"HINWEIS", "NOTICE", false},
		{"信息", "INFO", false},
		{"DEBUG", "DEBUG", false},
		{"DEBUG", "DEBUG1", false},
	} {
		n := &pgconn.Notice{Severity: test.severity, SeverityUnlocalized: test.unlocalized}
		if got := warns(n); got != test.want {
			t.Errorf("%q (%q): %v, want %v", test.severity, test.unlocalized, got, test.want)
		}
	}
}
