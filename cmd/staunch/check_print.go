package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// checkedStore is what the check of one store says, in JSON as it stands here.
type checkedStore struct {
	App      string    `json:"app"`
	Accounts int       `json:"accounts"`
	Entries  int       `json:"entries"`
	Seals    int       `json:"seals"`
	Unsealed int       `json:"unsealed"`
	Problems []problem `json:"problems"`
	Error    string    `json:"error,omitempty"` // why it could not be checked
}

// problem is one inconsistency.
type problem struct {
	Kind    string `json:"kind"`
	Account string `json:"account"` // empty: the app
	Subject string `json:"subject"`
	Entry   uint64 `json:"entry"` // 0: none
}

// printChecked prints the one JSON object.
func printChecked(w io.Writer, all []checkedStore) error {
	ok := true
	for _, s := range all {
		ok = ok && s.Error == "" && len(s.Problems) == 0
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		OK   bool           `json:"ok"`
		Apps []checkedStore `json:"apps"`
	}{ok, all})
}

// print says it for people. Why a store could not be checked is said at the end.
func (s checkedStore) print(w io.Writer) {
	if s.Error != "" {
		return
	}
	fmt.Fprintf(w, "%s: %s in %s and %s, %s\n", s.App, count(len(s.Problems), "problem"), count(s.Accounts, "account"),
		plural(s.Entries, "audit entry", "audit entries"), s.sealing())
	for _, p := range s.Problems {
		fmt.Fprintf(w, "%s: %s %s: %s\n", s.App, p.Kind, where(p), inWords(p.Kind))
	}
}

func (s checkedStore) sealing() string {
	switch {
	case s.Seals == 0:
		return "no seal yet"
	case s.Unsealed == 0:
		return count(s.Seals, "seal") + " over all of them"
	}
	return fmt.Sprintf("%s over %d of them, %d newer than the last seal", count(s.Seals, "seal"), s.Entries-s.Unsealed, s.Unsealed)
}

// where says what a problem is about.
func where(p problem) string {
	var words []string
	if p.Account != "" {
		words = append(words, "account "+p.Account)
	}
	if p.Entry != 0 {
		words = append(words, fmt.Sprintf("entry %d", p.Entry))
	}
	if p.Subject != "" {
		words = append(words, p.Subject)
	}
	return strings.Join(words, ", ")
}

// inWords says what a kind of problem means.
func inWords(kind string) string {
	for _, k := range [...][2]string{
		{"chain_break", "this entry, or the one before it, was changed after it was written: its hash does not fit"},
		{"chain_gap", "the entry before this one is missing, or the order was changed"},
		{"seal_break", "the entries that it covers were changed, removed or cut off, or a seal before it was; or it is gone itself"},
		{"seal_signature", "no audit key that is known here has signed it; name a key that was replaced with --audit-key"},
		{"row_digest", "the row is not as this entry, the last that tells of it, says: it was changed or rolled back past the program"},
		{"row_mac", "the row's own mark is missing or wrong: it was changed, or put in, by somebody without the app's root secret"},
		{"row_without_entry", "no entry tells of this row: it was put in past the program, or moved here from another account"},
		{"entry_without_row", "this entry tells of a row that is not there: it was deleted past the program, or moved to another account"},
		{"illegal_step", "this entry tells of a change of state that the rules do not have, or from a state in which it was not"},
		{"store_integrity", "the file is damaged, or no store"},
		{"store_schema", "tables, indexes and triggers must be those that the program makes"},
		{"store_foreign_key", "a row refers to one that is not there"},
		{"recovery_blob", "what a phone has encrypted is not there, or not as the phone has left it: its owner must back up anew"},
		{"recovery_regressed", "the record is older than the newest that was stored, or another one: it was put back past the program; the vaults know what is missing"},
		{"recovery_fork", "a vault has signed two records of one version: two replicas, or somebody with their keys, counted on from the same place"},
		{"recovery_receipts", "the receipts of vaults are not those that this entry covers: one was taken away, changed, or put there"},
		{"transfer_in_charge", "one account is in two moves at a time, or one phone has handed it over twice: the store was changed past the program"},
		{"transfer_segments", "the pieces of history that wait for a new phone overlap, or are not what their move counts: cancel that move and begin anew"},
		{"transfer_blob", "a piece of history that waits for a new phone has no ciphertext: the phones notice, and send it again or begin anew"},
		{"transfer_space", "the bytes that wait for new phones are not the sum that is kept of them: the store was changed past the program"},
	} {
		if k[0] == kind {
			return k[1]
		}
	}
	return "see the chapter on damage in docs/operations.md"
}
