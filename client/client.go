// Package client has the library for shops' own pages: an ES module, and what TypeScript reads of it. See README.md.
package client

import "embed"

// Files are sneakerdrop.js and its types.
//
//go:embed sneakerdrop.js sneakerdrop.d.ts
var Files embed.FS
