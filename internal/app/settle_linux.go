package app

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// dropStartCode gives the pages of the program back that only the start needed: half of its code and constants. What is
// needed again comes from the system's file cache, without reading the disk. It leaves out each part of which a page
// was changed in memory (by the dynamic linker, or a debugger), because the file does not have that change.
func dropStartCode() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	parts, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var from, to uintptr // of the part of the program that is being read
	for line := range bytes.Lines(parts) {
		var start, end uintptr
		var rights, rest string
		if n, _ := fmt.Sscanf(string(line), "%x-%x %s", &start, &end, &rights); n == 3 {
			from, to = 0, 0
			if (rights == "r-xp" || rights == "r--p") && bytes.HasSuffix(bytes.TrimSpace(line), []byte(" "+program)) {
				from, to = start, end
			}
			continue
		}
		if n, _ := fmt.Sscanf(string(line), "Anonymous: %s kB", &rest); n == 1 && rest == "0" && from != 0 {
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("madvise: %w", errno)
			}
		}
	}
	return nil
}
