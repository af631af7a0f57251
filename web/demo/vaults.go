package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// Holdings is what the vaults hold for an account, as their last receipts say.
type Holdings struct {
	Limit     int
	Remaining int    // attempts, as a phone would show them; -1: nothing is registered
	Assurance string // "process" is an ordinary process, NOT a TEE
	Vaults    []Holding
}

// Holding is what one vault has.
type Holding struct {
	Member
	Platform string // empty: it has given no evidence
	Answers  bool
	Has      bool // else what follows is empty
	State    string
	Used     int
	Version  uint64
	At       time.Time // of the last receipt
}

type holding struct {
	Member
	Platform string `json:"platform"`
	Answers  bool   `json:"answers"`
	Has      bool   `json:"has"`
	State    string `json:"state"` // empty: nothing is there
	Used     int    `json:"used"`
	Limit    int    `json:"limit"`
	Version  uint64 `json:"version"`
	At       string `json:"at"` // RFC 3339
}

// vaults are the boxes of the page.
func (c *call) vaults() (any, error) {
	id, err := accountID(c.r.URL.Query().Get("account"))
	if err != nil {
		return nil, err
	}
	h, err := c.server.Holdings(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("%w: the server has no vaults", ErrNoRecord)
	}
	out := struct {
		Limit     int       `json:"limit"`
		Remaining int       `json:"remaining"`
		Assurance string    `json:"assurance"`
		Vaults    []holding `json:"vaults"`
	}{h.Limit, h.Remaining, h.Assurance, []holding{}}
	for _, v := range h.Vaults {
		one := holding{v.Member, v.Platform, v.Answers, v.Has, v.State, v.Used, h.Limit, v.Version, ""}
		if v.Has {
			one.At = v.At.UTC().Format(time.RFC3339Nano)
		}
		out.Vaults = append(out.Vaults, one)
	}
	return out, nil
}

// Record is what the insider tells of a record that he has in his hands.
type Record struct {
	Version uint64 `json:"version"`
	Used    int    `json:"used"`
}

// copyRecord and restoreRecord are the insider's.
func (c *call) copyRecord() (any, error)    { return c.insider(c.server.CopyRecord) }
func (c *call) restoreRecord() (any, error) { return c.insider(c.server.RestoreRecord) }

func (c *call) insider(do func(context.Context, account.ID, string) (*Record, error)) (any, error) {
	var in struct {
		Account string `json:"account"`
		Vault   string `json:"vault"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := accountID(in.Account)
	if err != nil {
		return nil, err
	}
	return do(c.r.Context(), id, in.Vault)
}
