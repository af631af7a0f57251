package server

import (
	"net/http"
	"time"
)

// TestingOnlyVendors lets client ask in the place of the real one, and for
// receipts at appleURL.
func (o *Options) TestingOnlyVendors(client *http.Client, appleURL string) {
	o.testingOnlyClient, o.testingOnlyAppleURL = client, appleURL
}

// TestingOnlySealing has the records sealed so often.
func (o *Options) TestingOnlySealing(every time.Duration) { o.testingOnlySealing = every }

// TestingOnlyAppleURL has the next reload ask for receipts at url.
func (s *Server) TestingOnlyAppleURL(url string) { s.feed.appleURL = url }

// TestingOnlyBootID names the start of the system.
func (o *Options) TestingOnlyBootID(id string) { o.testingOnlyBootID = func() string { return id } }
