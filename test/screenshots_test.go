package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestScreenshots_OfTheShop takes the picture in the README. `make screenshots` names the folder for it; without one
// the test only opens the page as the picture shows it.
func TestScreenshots_OfTheShop(t *testing.T) {
	s := startFor(t, t.TempDir(), "--demo", "--payments=none", "--shop-name=Sneakerdrop")
	shop := visit(t, s.url+"/", look{name: "picture", width: 1280, height: 860})
	shop.reads("body", "Basalt Trail")
	hold := post(t, s.url+"/api/drops/reserve", `{"dropId":4,"userName":"Mara"}`)
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, id(t, hold)))
	shop.reads("body", "Sold out")
	shop.holds(`[...document.images].every((i) => i.complete)`)
	shop.holds(`!document.getAnimations().some((a) => a instanceof CSSTransition)`)
	picture(t, shop, "shop.jpg")
}

// picture writes what a page shows as a small JPEG into the folder that SNEAKERDROP_SCREENSHOTS names.
func picture(t *testing.T, p *page, name string) {
	t.Helper()
	dir := os.Getenv("SNEAKERDROP_SCREENSHOTS")
	if dir == "" {
		return
	}
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		quality := int64(82)
		shot, err := cdp.Call(ctx, tab, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
			Format: cdppage.CaptureScreenshotFormatJpeg, Quality: &quality,
		})
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), shot.Data, 0o644)
	}))
}
