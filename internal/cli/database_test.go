package cli

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	zombiezen "zombiezen.com/go/sqlite"

	"sneakerdrop/internal/store"
)

// Whoever may not write the database's file is told what to do about it; root may write everything, so these are the
// errors themselves.
func TestFileRemedy_SaysWhatTheUserLacks(t *testing.T) {
	for err, want := range map[error]bool{
		&fs.PathError{Op: "open", Path: "x.db", Err: syscall.EACCES}:               true,
		&fs.PathError{Op: "open", Path: "x.db", Err: syscall.EROFS}:                true,
		fmt.Errorf("migrate: %w", zombiezen.ResultReadOnly.ToError()):              true,
		&store.Error{Op: "open", Err: zombiezen.ResultReadOnlyDirectory.ToError()}: true,
		&fs.PathError{Op: "open", Path: "x.db", Err: syscall.ENOENT}:               false,
		fmt.Errorf("migrate: %w", zombiezen.ResultNotADB.ToError()):                false,
	} {
		settings, fault := readSettings(nil)
		if fault != nil {
			t.Fatal(fault)
		}
		con := &console{settings: settings}
		sentence := con.databaseError(database{file: "x.db"}, err).Error()
		if got := strings.Contains(sentence, "give this user the right to write the file and its folder"); got != want {
			t.Errorf("%v: %s", err, sentence)
		}
	}
}
