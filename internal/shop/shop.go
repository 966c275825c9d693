// Package shop is what people do in a shop, whichever way they come in: over HTTP, over a socket or by a command.
// Adapters decode what was asked for, call this package and encode the answer. The rules of a drop are package
// drop's, and run in the engine.
//
// Everything is safe for concurrent use.
package shop
