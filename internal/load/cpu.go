package load

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ticksPerSecond is the unit in which Linux reports processor time (USER_HZ, proc(5)) on all platforms of Go.
const ticksPerSecond = 100

// Meter measures processor time on this machine, as far as /proc reports it.
type Meter struct {
	server   int // 0 if unknown
	database bool
	began    usage
	selfPID  int
}

type usage struct {
	server, database, load, idle, machine float64 // in seconds
}

// NewMeter starts a measurement. server is the server's process, 0 if unknown. database says that PostgreSQL runs on
// this machine; then all its processes count.
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

// CPU returns the time used since the start, per request. It returns nil if /proc reports nothing.
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

// processSeconds returns the processor time of a process, 0 if unknown.
func processSeconds(pid int) float64 {
	name, seconds := readStat(strconv.Itoa(pid))
	if name == "" {
		return 0
	}
	return seconds
}

// namedSeconds returns the processor time of all processes with that name.
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

// readStat reads a process's name and processor time (proc(5), /proc/pid/stat: utime and stime are fields 14 and 15).
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
	const user, system = 14 - 3, 15 - 3 // the first element of fields is field 3
	if len(fields) <= system {
		return "", 0
	}
	return string(text[open+1 : end]), (number(fields[user]) + number(fields[system])) / ticksPerSecond
}

// machineSeconds returns the idle time and the total time of all processors.
func machineSeconds() (idle, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	for i, f := range fields {
		if i == 0 || i > 8 { // "cpu"; user time already includes guests
			continue
		}
		n := number(f) / ticksPerSecond
		all += n
		if i == 4 || i == 5 { // idle, or waiting for a disk
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
