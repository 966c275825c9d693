package api_test

import (
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
)

// knownSeed is a seed, and knownCommitment its commitment: those of internal/draw/testdata/record-1.json.
const (
	knownSeed       = "e349b6a7849927d6b0072dca7e2f928998f54357c430d179ac9913d4bc5f058a"
	knownCommitment = "c6ce25bd0bb2d8fdd02d273df93f7bebc3d6650cd231cc9d8badd191b2175661"
)

// drawBody is a drop with a draw that is open now and closes in an hour. more are further members of draw.
func drawBody(more string) string {
	return fmt.Sprintf(`{"name":"drawn","price":1,"total_stock":1,"draw":{%s%s}}`, openNow(), more)
}

func sizedDrawBody(more string) string {
	return fmt.Sprintf(`{"name":"drawn","price":1,"sizes":[{"size":"9","stock":1},{"size":"9.5","stock":1}],"draw":{%s%s}}`, openNow(), more)
}

func openNow() string {
	now := time.Now().UTC()
	return fmt.Sprintf(`"opens":%q,"closes":%q`, now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
}

// openDraws makes what the examples of a call about draws need.
func openDraws(s *shop, call string) {
	s.Helper()
	mustPost[dropJSON](s, "/api/drops/create", drawBody(`,"seed_commitment":"`+knownCommitment+`"`))
	mustPost[dropJSON](s, "/api/drops/create", sizedDrawBody(""))
	if call != "enter-draw" {
		s.ok(s.post("/api/drops/enter", `{"dropId":1,"userId":3}`))
		s.ok(s.post("/api/drops/enter", `{"dropId":2,"userName":"Ann","email":"ann@example.com","sizes":[9]}`))
	}
	if call == "reveal-draw" {
		s.closeDraw(1)
	}
}

// closeDraw moves the clock beyond the close of a draw that is open for an hour, and closes it.
func (s *shop) closeDraw(id drop.ID) {
	s.Helper()
	s.ahead.Store(2 * time.Hour.Milliseconds())
	if d, err := s.engine.CloseDraw(s.Context(), id); err != nil || d.DrawState.Phase != drop.Drawing {
		s.Fatalf("close the draw: %+v, %v", d.DrawState, err)
	}
}
