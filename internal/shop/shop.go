// Package shop has what people do in a shop, whether they use HTTP, a socket or a command. Adapters decode the
// request, call this package and encode the answer. The rules of a drop are in package drop, and run in the engine.
//
// Everything is safe for concurrent use.
package shop
