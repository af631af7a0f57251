// Package site is what the hosts that serve pages have in common: the pages of an
// account (package web), the console and the demo. What keeps other sites out is
// written here, once.
//
//	mux.Handle("GET /assets/", files)
//	mux.Handle("POST /sign-out", signOut)
//	handler := site.Guard(mux)
//	...
//	site.Rules{TLS: true}.Set(w.Header()) // on every answer, before anything else
//	handler.ServeHTTP(w, r)
//
// # What is here
//
//   - [Rules] are the headers that tell a browser what a page may do: load its own
//     files and talk to its own server. Nothing is inline, and no text becomes
//     markup (Trusted Types). The zero value is the strictest.
//   - [Guard] lets a request pass only if no other site can have sent it.
//   - [Read] takes one JSON value, and no member that nobody reads; [Write] and
//     [Refuse] answer.
//   - [Cookie] is a cookie with a secret, under a name that begins with __Host-.
//   - [Host] says which Host a page's origin has; [Local] is for somebody who has
//     written 127.0.0.1. A page's origin is the configuration's, never a header's.
//   - [Assets] and [Pages] are files and templates, and [Log] the line of a request.
//
// # What it does not do
//
// It knows no app, no account and no session: who may see a page is told by the
// package that serves it. It has no routes.
package site
