package integrity_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// killEnv names the store to a child process that will be killed.
const killEnv = "STAUNCH_TEST_KILL"

// TestKilled kills a process in the middle of enrolments, sign-ins, new passkeys
// and sign-outs, again and again. Afterwards the store is without a problem,
// what was answered is there, and what was not is there wholly or not at all.
func TestKilled(t *testing.T) {
	if os.Getenv(killEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	r := newRig(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	answered, phones := 0, 0
	for round := 0; round < rounds || round < 40 && (phones == 0 || answered < 4*rounds); round++ { // more on a slow machine
		said := killed(t, r.path)
		answered += len(said)
		r.open()
		r.checked()
		for _, a := range said {
			var token integrity.Token
			if a.token != "" {
				token, _ = hex.DecodeString(a.token)
			}
			_, err := r.BrowserCaller(t.Context(), token, network, "")
			if live := err == nil; live != (a.what == "session") {
				t.Errorf("round %d: answered %s of %s, and the session gives %v", round, a.what, a.account, err)
			}
		}
		// An account has its passkey, its session, its entry and its event, or is not there.
		accounts := r.count("account")
		for from, n := range map[string]int{
			"audit_entry WHERE action = 'account.enrol'":                                          accounts,
			"outbox WHERE type = 'account.enrolled'":                                              accounts,
			"account WHERE NOT EXISTS (SELECT 1 FROM credential WHERE account = account.id)":      0,
			"account WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.account = account.id)": 0,
			"attest_key WHERE state = 'active'":                                                   r.count("device"),
			"device d WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.device = d.id)":           0,
			"session s WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.account)":         0,
			"credential WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = credential.account)":   0,
		} {
			if got := r.count(from); got != n {
				t.Errorf("round %d: %d rows of %s, want %d", round, got, from, n)
			}
		}
		phones = r.count("device")
		// A session of a sign-in has its entry, and each used ceremony left one thing.
		if started, told := r.count("session"), accounts+r.count("audit_entry WHERE action = 'session.started'"); started != told {
			t.Errorf("round %d: %d sessions, and %d are told of", round, started, told)
		}
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r.open()
	if answered < 4*rounds || phones == 0 {
		t.Errorf("%d answers and %d phones in %d rounds: too few to mean anything", answered, phones, rounds)
	}
}

// said is an answer that the child got: a session that lives, or one that ended.
type said struct{ what, account, token string }

// killed runs a child on the store, and kills it a little after its first answers.
func killed(t *testing.T, path string) (all []said) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), killEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	var timer *time.Timer
	ended, phone := map[string]bool{}, false // whether a phone has come in
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end of line was not said to its end
		}
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "phone" {
			phone = true
			continue
		}
		if len(f) != 3 || f[0] != "session" && f[0] != "ended" && f[0] != "ending" {
			t.Errorf("the child says %q", line)
			continue
		}
		if f[0] == "session" {
			all = append(all, said{f[0], f[1], f[2]})
		} else {
			ended[f[2]] = f[0] == "ended"
		}
		if len(all) > 4 && phone && timer == nil {
			timer = time.AfterFunc(time.Duration(rand.Int64N(int64(80*time.Millisecond))), func() { cmd.Process.Kill() })
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	var sure []said // what was ending and did not say that it ended may be either
	for _, a := range all {
		done, begun := ended[a.token]
		if done {
			a.what = "ended"
		}
		if done || !begun {
			sure = append(sure, a)
		}
	}
	return sure
}

// TestKilledChild is the process that TestKilled kills. People sign up, sign
// in, add a passkey and sign out, and phones are enrolled and sign in.
func TestKilledChild(t *testing.T) {
	path := os.Getenv(killEnv)
	if path == "" {
		t.Skip("the child of TestKilled")
	}
	r := &rig{t: t, path: path, now: noon}
	r.open(func(o *integrity.Options) {
		o.Policy.Limits.BeginNetwork = integrity.Limit{N: 1 << 30, Per: time.Minute}
	})
	go liveOn(r)
	go func() {
		for {
			p := r.enrol()
			fmt.Fprintf(os.Stdout, "phone %s -\n", p.account)
			p.signIn()
		}
	}()
	liveOn(r) // until it is killed
}

func liveOn(r *rig) {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	say := func(what string, id account.ID, token integrity.Token) {
		fmt.Fprintf(os.Stdout, "%s %s %s\n", what, id, hex.EncodeToString(token))
	}
	for {
		b := r.newBrowser()
		begun, err := r.BeginEnrol(ctx, r.anonymous(), b.at)
		check(err)
		response, err := b.passkey.Create(begun.Options, origin)
		check(err)
		enrolled, err := r.FinishEnrol(ctx, r.anonymous(), &integrity.EnrolAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at})
		check(err)
		say("session", enrolled.Account, enrolled.Token)

		begun, err = r.BeginSignIn(ctx, r.anonymous(), &integrity.SignInStart{Browser: b.at})
		check(err)
		response, err = b.passkey.Get(begun.Options, origin)
		check(err)
		in, err := r.FinishSignIn(ctx, r.anonymous(), &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at})
		check(err)
		say("session", in.Signed.Account, in.Signed.Token)

		b.token = in.Signed.Token
		c, err := r.BrowserCaller(ctx, b.token, network, "")
		check(err)
		begun, err = r.BeginAdd(ctx, c, &integrity.AddStart{Browser: b.at})
		check(err)
		other, err := passkeytest.New(&passkeytest.Options{})
		check(err)
		response, err = other.Create(begun.Options, origin)
		check(err)
		_, err = r.FinishAdd(ctx, c, &integrity.AddAnswer{Ceremony: begun.Ceremony, Response: response, Browser: b.at})
		check(err)

		say("ending", enrolled.Account, enrolled.Token)
		_, err = r.SignOutOthers(ctx, c)
		check(err)
		say("ended", enrolled.Account, enrolled.Token)
	}
}
