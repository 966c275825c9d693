// Storefront is a small shop with an origin of its own. It serves the page and signs buyers in. For drops the page
// calls a sneakerdrop server, which knows the buyers by the tokens that this program signs with a secret that both
// have.
package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"sneakerdrop/client"
)

//go:embed index.html shop.css shop.js
var files embed.FS

// What tokens say of themselves: the server's --jwt-issuer and --jwt-audience.
const issuer, audience = "storefront", "shop"

// storefront makes tokens that are good for so long.
type storefront struct {
	signer jose.Signer
	life   time.Duration
}

func main() {
	addr := flag.String("addr", "localhost:8080", "where to listen")
	drops := flag.String("drops", "http://localhost:3000", "the origin of the drops server, as browsers reach it")
	secretFile := flag.String("secret-file", "", "the file that the drops server has as --jwt-secret-file")
	life := flag.Duration("token-life", 5*time.Minute, "how long a token is good")
	flag.Parse()
	if err := run(*addr, *drops, *secretFile, *life); err != nil {
		log.Fatal(err)
	}
}

func run(addr, drops, secretFile string, life time.Duration) error {
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return fmt.Errorf("read the secret: %w", err)
	}
	key := jose.SigningKey{Algorithm: jose.HS256, Key: bytes.TrimRight(secret, "\r\n")}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return fmt.Errorf("use the secret: %w", err)
	}
	page, err := template.ParseFS(files, "index.html")
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("open the shop: %w", err)
	}
	shop := &storefront{signer, life}
	mux := http.NewServeMux()
	mux.Handle("GET /shop.css", http.FileServerFS(files))
	mux.Handle("GET /shop.js", http.FileServerFS(files))
	mux.Handle("GET /sneakerdrop.js", http.FileServerFS(client.Files)) // a copy: the page runs no script of another origin
	mux.HandleFunc("POST /session", shop.session)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := page.Execute(w, drops); err != nil {
			log.Print("send the page: ", err)
		}
	})
	host, _, _ := net.SplitHostPort(addr)
	fmt.Printf("The shop is at http://%s\n", net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)))
	// No page of another origin may ask for a session.
	handler := http.NewCrossOriginProtection().Handler(strict(drops, mux))
	server := http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	return server.Serve(listener)
}

// strict says what the page may do: run the shop's own scripts, and call the shop and the drops server.
func strict(drops string, next http.Handler) http.Handler {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' " + drops +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// session answers a name with a token for it. This believes whatever name was typed, so that anybody can buy as
// anybody. A real shop answers only to its own session: a cookie
// (HttpOnly, Secure, SameSite). It gives that cookie to a buyer who proved who they are, by a passkey, a password or an
// identity provider. It takes sub, which names the buyer forever, from its own records.
func (s *storefront) session(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Name string `json:"name"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&asked)
	name := strings.Join(strings.Fields(asked.Name), " ")
	if err != nil || name == "" || len(name) > 200 {
		http.Error(w, "send a name of 1 to 200 bytes", http.StatusUnprocessableEntity)
		return
	}
	now := time.Now()
	claims := jwt.Claims{
		Issuer: issuer, Audience: jwt.Audience{audience}, Subject: strings.ToLower(name),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(s.life)),
	}
	token, err := jwt.Signed(s.signer).Claims(claims).Claims(map[string]any{"name": name}).Serialize()
	if err != nil {
		log.Print("sign a token: ", err)
		http.Error(w, "could not sign", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "token": token, "expires_at": now.Add(s.life)})
}
