package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/web"
)

// pageFlags configure what the pages show about the shop.
type pageFlags struct {
	ShopName  shopName      `placeholder:"NAME" help:"The name of the shop on its pages (default the theme's name, or else sneakerdrop)."`
	Theme     theme         `placeholder:"DIR" help:"A folder with the shop's colors, logo, fonts, footer and texts (default none). docs/howto/themes.md describes it."`
	Currency  drop.Currency `default:"USD" placeholder:"CODE" help:"The currency of all prices, by ISO 4217. Prices have at most its number of decimals (JPY 0, KWD 3)."`
	SignIn    signIn        `name:"sign-in-url" placeholder:"URL" help:"Where the shop window sends buyers who have no token (default none). That page gets a parameter state=STATE and sends them back to /#token=TOKEN&state=STATE."`
	PublicURL publicURL     `name:"public-url" placeholder:"URL" help:"The shop's own address, such as https://shop.example. Previews, search engines and calendar files use it (default none)."`
}

func (c *pageFlags) pages() web.Config {
	return web.Config{
		Shop: string(c.ShopName), Theme: c.Theme.Theme, Currency: c.Currency.Code, Decimals: c.Currency.Decimals, SignIn: string(c.SignIn), PublicURL: string(c.PublicURL),
	}
}

type shopName string

func parseShopName(s string) (shopName, error) {
	normal, err := web.ShopName(s)
	return shopName(normal), err
}

// theme is what the folder of --theme has.
type theme struct{ *web.Theme }

func parseTheme(dir string) (theme, error) {
	t, err := web.ReadTheme(dir)
	if err != nil {
		return theme{}, fmt.Errorf("cannot be used: %w", err)
	}
	return theme{t}, nil
}

type signIn string

func parseSignIn(s string) (signIn, error) {
	parsed, err := url.Parse(s)
	web := err == nil && (parsed.Scheme == "https" || parsed.Scheme == "http") && parsed.Host != ""
	path := strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") // two slashes would be followed by a host
	if !web && !path || strings.Contains(s, `\`) {                   // browsers read a backslash as a slash
		return "", errors.New("must be an http or https address, or a path that starts with /")
	}
	return signIn(s), nil
}

type publicURL string

// parsePublicURL reads an origin and returns it as browsers write it: in lower case, without a slash at the end.
func parsePublicURL(s string) (publicURL, error) {
	parsed, err := url.Parse(s)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" || strings.ContainsAny(s, "\\\"'<>; ") {
		return "", errors.New("must be an http or https address such as https://shop.example")
	}
	if parsed.User != nil || strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(s, "#") {
		return "", errors.New("must have no user, path, query or fragment, only scheme, host and port, such as https://shop.example")
	}
	return publicURL(strings.ToLower(parsed.Scheme + "://" + parsed.Host)), nil
}

type beaconURL string

// parseBeaconURL reads where the public HTTP API of a beacon is. It has no secrets, because logs and pages show it.
func parseBeaconURL(s string) (beaconURL, error) {
	parsed, err := url.Parse(s)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" {
		return "", errors.New("must be an http or https address such as https://beacon.example")
	}
	if parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(s, "#") {
		return "", errors.New("must have no user, query or fragment, such as https://beacon.example")
	}
	return beaconURL(s), nil
}
