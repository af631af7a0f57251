package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/client"
)

// TestCheckServer: what is wrong with an address is said, and what is right, of each that
// package client refuses and of no other.
func TestCheckServer(t *testing.T) {
	for text, want := range map[string]string{
		"https://accounts.example.org": "", "https://accounts.example.org:8443/": "", "http://127.0.0.1:8080": "", "http://[::1]:8080": "", "http://localhost:1": "",
		"ftp://x":                     `--server: "ftp://x" speaks ftp, and a phone speaks https; write https://HOST or`,
		"accounts.example.org":        `--server: "accounts.example.org" does not say how to speak to the server`,
		"://x":                        "does not say how to speak",
		"":                            "does not say how to speak",
		"https://":                    "names no host",
		"https://x:port":              "is no address",
		"https://me:hush@x":           "--server: there is a name or a password in it",
		"https://x/staunch":           "has something behind the host",
		"https://x?":                  "has something behind the host",
		"https://x#y":                 "has something behind the host",
		"http://accounts.example.org": "would send everything in the clear; write https://HOST",
		"http://192.0.2.1:8080":       "would send everything in the clear",
	} {
		err := checkServer(text)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		var usage *phoneUsage
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "127.0.0.1:PORT") {
			t.Errorf("%q: %v", text, err)
		}
		if strings.HasSuffix(text, "?") { // which package client takes for nothing
			continue
		}
		if _, err := client.NewPhone(&client.PhoneOptions{URL: text}); err == nil || !strings.Contains(err.Error(), "URL") {
			t.Errorf("%q: package client takes it: %v", text, err)
		}
	}
}
