package transfer_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

var update = flag.Bool("update", false, "write what the scripts in testdata print into them")

// TestScripts runs testdata/*.txt: a line that begins with "> " is a command, what
// follows is what it prints. Each script is one row of the table of states, with the
// wrong caller, in the wrong state, too early and too late.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newRig(t).script(string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(text), got); diff != "" && !*update {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// script runs the commands of a text, and gives it back with what they print.
func (r *rig) script(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		command, is := strings.CutPrefix(line, "> ")
		switch {
		case is:
			out.WriteString(line)
			r.run(&out, strings.Fields(command))
		case strings.HasPrefix(line, "#"), line == "\n":
			out.WriteString(line)
		}
	}
	return out.String()
}

// run runs one command, and prints what it gives and what was recorded.
func (r *rig) run(out io.Writer, command []string) {
	r.seen = len(r.store.data.events)
	text, err := r.do(command[0], words(command[1:]))
	if err != nil {
		text = "! " + err.Error()
	}
	for name := range strings.FieldsSeq("t second third") {
		text = strings.ReplaceAll(text, string(idOf(name)), name)
	}
	fmt.Fprintln(out, text)
	for i, e := range r.store.data.events[r.seen:] {
		a := r.store.data.audit[r.seen+i]
		if a.Action != e.Type || a.Account != e.Account || !bytes.Equal(a.Detail, e.Body) {
			r.Errorf("the entry is %s of %q, the event %s of %q", a.Action, a.Account, e.Type, e.Account)
		}
		fmt.Fprintf(out, "  + %s by %s %s\n", e.Type, a.Actor.Kind, a.Actor.ID)
	}
}

// args are the words after a command: NAME=VALUE, or VALUE under "".
type args map[string]string

func words(all []string) args {
	a := args{}
	for _, w := range all {
		if name, value, found := strings.Cut(w, "="); found {
			a[name] = value
		} else {
			a[""] = strings.TrimSpace(a[""] + " " + w)
		}
	}
	return a
}

func (a args) number(name string, without int) int {
	if a[name] == "" {
		return without
	}
	n, err := strconv.Atoi(a[name])
	if err != nil {
		panic(err)
	}
	return n
}

func (a args) has(word string) bool { return slices.Contains(strings.Fields(a[""]), word) }

// in is the transfer that a command is about.
func (a args) in() string {
	if a["in"] != "" {
		return a["in"]
	}
	return "t"
}

// by is whose token a command shows.
func (r *rig) by(a args, without string) [32]byte {
	who := without
	if a["by"] != "" {
		who = a["by"]
	}
	if a.in() != "t" {
		who += " of " + a.in()
	}
	return token(who)
}

func view(v *transfer.View) string {
	text := fmt.Sprintf("%s v%d", v.State, v.Version)
	if v.Reason != "" {
		text += " " + string(v.Reason)
	}
	if !v.Deadline.IsZero() {
		text += " until +" + v.Deadline.Sub(v.At).String()
	}
	return text
}

// do runs a command.
func (r *rig) do(name string, a args) (string, error) {
	switch name {
	case "after":
		d, err := time.ParseDuration(a[""])
		r.at = r.at.Add(d)
		return r.at.Sub(epoch).String(), err
	case "all":
		return r.all(), nil
	case "put", "get", "list", "received", "flush", "sweep", "blobs", "lose", "tear", "recheck", "check", "restart":
		return r.doBulk(name, a)
	}
	v, err := r.doTx(name, a)
	if err != nil || v == nil {
		return "ok", err
	}
	if name == "look" {
		return details(v), nil
	}
	return view(v), nil
}

// doTx runs a command that is a transaction, as a flow does.
func (r *rig) doTx(name string, a args) (*transfer.View, error) {
	ctx := r.Context()
	id := idOf(a.in())
	switch name {
	case "look":
		in := &transfer.Waiting{ID: id, After: uint64(a.number("after", 0))}
		if a["by"] == "alice" || a["by"] == "eve" {
			in.Account = map[string]account.ID{"alice": alice, "eve": eve}[a["by"]]
		} else {
			in.Token = r.by(a, "n")
		}
		return r.in(func(tx transfer.Tx) (*transfer.View, error) { return r.Look(ctx, tx, in, r.at) })
	case "offer":
		return r.offer(a)
	case "claim":
		return r.claim(a)
	case "cancel":
		in := &transfer.Cancelling{ID: id, Reason: transfer.Reason(a["reason"])}
		switch a["by"] {
		case "alice", "eve":
			in.Account = map[string]account.ID{"alice": alice, "eve": eve}[a["by"]]
			in.By = audit.Actor{Kind: account.Browser, ID: "s"}
		default:
			in.Token = r.by(a, "n")
		}
		return r.in(func(tx transfer.Tx) (*transfer.View, error) { return r.CancelTx(ctx, tx, in, r.at) })
	case "abort":
		return r.in(func(tx transfer.Tx) (*transfer.View, error) {
			return r.AbortTx(ctx, tx, id, transfer.AccountChanged, r.at)
		})
	case "revise":
		return r.in(func(tx transfer.Tx) (*transfer.View, error) {
			return r.ReviseTx(ctx, tx, id, r.by(a, "c"), uint32(a.number("", 0)), uint64(a.number("bytes", 1<<18)), r.at)
		})
	case "end", "thaw", "gone", "settle":
		_, err := r.in(func(tx transfer.Tx) (*transfer.View, error) { return nil, r.account(tx, name, a) })
		if err != nil {
			return nil, err
		}
		return &transfer.View{State: r.row(a.in()).State, Version: r.row(a.in()).Version, Reason: r.row(a.in()).Reason}, nil
	case "tamper":
		r.store.mu.Lock()
		defer r.store.mu.Unlock()
		t := r.store.data.transfers[id]
		t.State = transfer.Sealed
		r.store.data.transfers[id] = t
		return nil, nil
	}
	return r.say(handover.Step(name), a)
}

func (r *rig) account(tx transfer.Tx, name string, a args) (err error) {
	device := map[string]account.DeviceID{"old": old, "other": other, "new": fresh}[a["device"]]
	switch name {
	case "end":
		_, err = r.EndTx(r.Context(), tx, alice, device, transfer.Reason(a["reason"]), r.at)
	case "thaw":
		_, err = r.ThawTx(r.Context(), tx, alice, r.at)
	case "gone":
		_, err = r.GoneTx(r.Context(), tx, device, r.at)
	case "settle":
		_, _, err = r.SettleTx(r.Context(), tx, idOf(a.in()), r.at)
	}
	return err
}

func (r *rig) offer(a args) (*transfer.View, error) {
	turn, err := r.turn(a.in(), r.by(a, "n"), handover.StepOffer, changes(a))
	if err != nil {
		return nil, err
	}
	in := &transfer.Offering{Envelope: turn.Envelope, Token: turn.Token, Value: turn.Value, KeyID: "key of n", Verdict: "TRUSTED", Place: "192.0.2.0/24", Network: a["network"]}
	if a.has("unverified") {
		in.Value[0]++
	}
	return r.in(func(tx transfer.Tx) (*transfer.View, error) { return r.OfferTx(r.Context(), tx, in, r.at) })
}

func (r *rig) claim(a args) (v *transfer.View, err error) {
	in := &transfer.Claiming{ID: idOf(a.in()), Token: r.by(a, "c"), Account: alice, Device: old, Key: "key of c", Network: a["network"]}
	switch a["by"] {
	case "other":
		in.Device = other
	case "eve":
		in.Account, in.Device = eve, other
	}
	if a["risks"] != "" {
		in.Risks = strings.Split(a["risks"], ",")
	}
	var ended error
	v, err = r.in(func(tx transfer.Tx) (*transfer.View, error) {
		c, contended, err := r.ClaimTx(r.Context(), tx, in, r.at)
		if err != nil {
			return nil, err
		}
		if contended {
			ended = &transfer.EndedError{State: c.State, Reason: c.Reason}
		}
		return &c.View, nil
	})
	return v, errors.Join(err, ended)
}

// say brings one message of a phone.
func (r *rig) say(step handover.Step, a args) (*transfer.View, error) {
	without := "n"
	switch step {
	case handover.StepHello, handover.StepConfirm, handover.StepGrant, handover.StepRecall, handover.StepFinal:
		without = "c"
	}
	turn, err := r.turn(a.in(), r.by(a, without), step, changes(a))
	if err != nil {
		return nil, err
	}
	if a.has("unverified") {
		turn.Value[0]++
	}
	ctx := r.Context()
	v, err := r.in(func(tx transfer.Tx) (*transfer.View, error) {
		switch step {
		case handover.StepHello:
			return r.HelloTx(ctx, tx, turn, r.at)
		case handover.StepAnswer:
			return r.AnswerTx(ctx, tx, turn, r.at)
		case handover.StepMatched:
			return r.MatchTx(ctx, tx, turn, []byte("passkey of n"), r.at)
		case handover.StepConfirm:
			in := &transfer.Confirming{Turn: turn, HoldShare: share("hold" + a["share"])}
			if a["risks"] != "" {
				in.Risks = strings.Split(a["risks"], ",")
			}
			return r.ConfirmTx(ctx, tx, in, r.at)
		case handover.StepGrant:
			in := &transfer.Sealing{Turn: turn, CommitShare: share("commit" + a["share"]), Sealed: []byte(secrets + a["secrets"]), SealingKeyHash: share("sealing key" + a["row"])}
			return r.SealTx(ctx, tx, in, r.at)
		case handover.StepReceipt:
			return r.CommitTx(ctx, tx, turn, fresh, r.at)
		case handover.StepAck:
			return r.AckTx(ctx, tx, turn, r.at)
		case handover.StepRecall:
			return r.RecallTx(ctx, tx, turn, r.at)
		}
		return r.FinishTx(ctx, tx, turn, r.at)
	})
	return v, err
}

func details(v *transfer.View) string {
	text := view(v)
	if len(v.HoldReasons) > 0 {
		text += fmt.Sprintf(" held: %s, opens +%s", strings.Join(v.HoldReasons, " "), v.Opens.Sub(v.At))
	}
	if !v.RecallUntil.IsZero() {
		text += " recall +" + v.RecallUntil.Sub(v.At).String()
	}
	if v.Party == "" {
		return text + fmt.Sprintf(" peer %q at %q", v.Peer, v.Place)
	}
	text += fmt.Sprintf(" rev %d bytes %d/%d/%d record %d envelopes", v.Revision, v.BytesAcked, v.BytesStored, v.BytesExpected, v.RecordAcked)
	for _, e := range v.Envelopes {
		text += " " + string(e.Step)
	}
	for _, s := range []struct {
		name string
		b    []byte
	}{{"hold share", v.HoldShare}, {"sealed", v.Sealed}, {"commit share", v.CommitShare}} {
		if len(s.b) > 0 {
			text += ", " + s.name
		}
	}
	return text
}

// all tries every call of every caller on a copy of what is stored, and lists what
// is taken; what is not listed is refused. The messages are good ones.
func (r *rig) all() string {
	var taken []string
	for line := range strings.SplitSeq(calls, "\n") {
		command := strings.Fields(line)
		data, blobs, at, sent := r.store.data.clone(), maps.Clone(r.shelf.blobs), r.at, slices.Clone(r.segments)
		if _, err := r.do(command[0], words(command[1:])); err == nil {
			taken = append(taken, "  "+line)
		}
		r.store.data, r.shelf.blobs, r.at, r.segments = data, blobs, at, sent
	}
	return strings.Join(append([]string{fmt.Sprintf("taken, of %d:", strings.Count(calls, "\n")+1)}, taken...), "\n")
}

// calls are those of every caller. The phones' names are their tokens; what a wrong
// one says is made to differ from what may be there already, which would be a repeat.
const calls = `offer model=another
claim
claim by=other
claim by=eve
hello label=other
hello by=n
answer nonce=other
answer by=c
matched passkey=other
matched by=c
confirm bytes=7
confirm by=n
put first=7
put first=7 by=n
received 1
received 1 by=c
get 0
get 0 by=c
revise 2
revise 2 by=n
grant
grant by=n
receipt
receipt by=c
ack
ack by=c
recall
recall by=n
final
final by=n
cancel reason=user_cancelled
cancel reason=user_cancelled by=c
cancel by=alice
cancel by=eve
cancel reason=user_cancelled by=nobody
abort`
