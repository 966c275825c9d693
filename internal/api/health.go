package api

import (
	"context"
	"fmt"
	"net/http"

	"sneakerdrop/internal/drop"
)

type healthAnswer struct {
	Status    string  `json:"status" enum:"ok"`
	Timestamp instant `json:"timestamp" doc:"Current time on the clock that decides holds and start times: the database's, as of the last second"`
}

type statusAnswer struct {
	Status string `json:"status"`
}

type readyAnswer struct {
	Status   string   `json:"status" enum:"ready"`
	Bus      string   `json:"bus,omitempty" enum:"connected,away" doc:"Whether the server learns at once what other servers sell. away: it learns so within a second. Absent without --nats"`
	Warnings []string `json:"warnings,omitempty" doc:"Why the database may lose confirmed sales. Absent if its settings show no such risk"`
}

func (a *api) health(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, &healthAnswer{Status: "ok", Timestamp: instant(a.engine.Now())})
	return nil
}

func (a *api) live(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, &statusAnswer{Status: "ok"})
	return nil
}

// ready queries the database once for all callers that wait at the same time. Anybody may call it at any rate, and
// the lanes need the connections.
func (a *api) ready(w http.ResponseWriter, r *http.Request) error {
	_, err, _ := a.readiness.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), readyTimeout) // other callers wait for it too
		defer cancel()
		return nil, a.engine.Ready(ctx)
	})
	if err != nil {
		return fmt.Errorf("%w: %s", drop.Refuse(codeNotReady), err) //nolint:errorlint // the cause must not give the answer its code
	}
	answer := readyAnswer{Status: "ready"}
	if a.bus != nil {
		if answer.Bus = "away"; a.bus.Connected() {
			answer.Bus = "connected"
		}
	}
	for _, c := range a.engine.Cautions() {
		answer.Warnings = append(answer.Warnings, c.What)
	}
	writeJSON(w, &answer)
	return nil
}
