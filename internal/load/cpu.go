package load

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ticksPerSecond is what Linux counts processor time in for its users (USER_HZ, proc(5)), on all that Go runs on.
const ticksPerSecond = 100

// Meter measures processor time on this machine, as far as /proc tells.
type Meter struct {
	server   int // 0: not known
	database bool
	began    usage
	selfPID  int
}

type usage struct {
	server, database, load, idle, machine float64 // seconds
}

// NewMeter begins to measure. server is the process that serves, 0 if it is not known; database says whether
// PostgreSQL runs on this machine: then all its processes count.
func NewMeter(server int, database bool) *Meter {
	m := &Meter{server: server, database: database, selfPID: os.Getpid()}
	m.began = m.now()
	return m
}

func (m *Meter) now() usage {
	u := usage{server: processSeconds(m.server), load: processSeconds(m.selfPID)}
	if m.database {
		u.database = namedSeconds("postgres")
	}
	u.idle, u.machine = machineSeconds()
	return u
}

// CPU says what was used since the meter began, for each of so many requests; nil where /proc tells nothing.
func (m *Meter) CPU(requests int64) *CPU {
	now := m.now()
	if now.machine == 0 || requests == 0 {
		return nil
	}
	each := func(known bool, from, to float64) *float64 {
		if !known {
			return nil
		}
		us := round((to - from) * float64(time.Second/time.Microsecond) / float64(requests))
		return &us
	}
	idle := (now.idle - m.began.idle) / (now.machine - m.began.machine)
	return &CPU{
		Server: each(m.server != 0, m.began.server, now.server), Database: each(m.database, m.began.database, now.database),
		Load: each(true, m.began.load, now.load), Idle: &idle,
	}
}

// processSeconds is the time that a process has had, 0 where that is not known.
func processSeconds(pid int) float64 {
	name, seconds := readStat(strconv.Itoa(pid))
	if name == "" {
		return 0
	}
	return seconds
}

// namedSeconds is the time that all processes of a name have had.
func namedSeconds(name string) float64 {
	directories, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, d := range directories {
		if of, seconds := readStat(filepath.Base(d)); of == name {
			sum += seconds
		}
	}
	return sum
}

// readStat reads a process's name and the time it has had (proc(5), /proc/pid/stat: utime and stime are fields 14 and
// 15).
func readStat(pid string) (name string, seconds float64) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return "", 0
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", 0
	}
	fields := bytes.Fields(text[end+1:])
	const user, system = 14 - 3, 15 - 3 // the first of fields is the third of the line
	if len(fields) <= system {
		return "", 0
	}
	return string(text[open+1 : end]), (number(fields[user]) + number(fields[system])) / ticksPerSecond
}

// machineSeconds is the time that all processors had nothing to do, and their time in all.
func machineSeconds() (idle, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	for i, f := range fields {
		if i == 0 || i > 8 { // "cpu"; guests are counted in user time already
			continue
		}
		n := number(f) / ticksPerSecond
		all += n
		if i == 4 || i == 5 { // idle, and waiting for a disk
			idle += n
		}
	}
	return idle, all
}

func number(text []byte) float64 {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0
	}
	return n
}
