package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

func TestCurrency_WarnsOfPricesThatItCannotWrite(t *testing.T) {
	var views []*engine.View
	for id, price := range []drop.Money{drop.MoneyOf(1_199_950), 12_050, 1_200_000, 1_200_050} {
		views = append(views, engine.NewView(drop.Drop{ID: drop.ID(id + 1), Settings: drop.Settings{Price: price}}, nil, 0, 0))
	}
	views[3].Drop.Archived = true
	for decimals, want := range map[int]string{0: `"1 (119.995), 2 (120.5)"`, 2: `"1 (119.995)"`, 3: ""} {
		var said bytes.Buffer
		warnOfPrices(drop.Currency{Code: "ABC", Decimals: decimals}, views, slog.New(slog.NewTextHandler(&said, nil)))
		if want == "" && said.Len() > 0 || want != "" && !strings.Contains(said.String(), "drops="+want) {
			t.Errorf("%d decimals: %s", decimals, &said)
		}
	}
}
