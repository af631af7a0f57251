package integrity_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// TestWorth: a session decays as its proofs grow old.
func TestWorth(t *testing.T) {
	r := newRig(t)
	const id, device = account.ID("a_abcdefghijklmnopqrstuvwxyz"), account.DeviceID("d_abcdefghijklmnopqrstuvwxyz")
	signIn := []account.Proof{{Method: account.ByAssertion, At: noon}}
	phone := account.Session{ID: account.NewSessionID(), Account: id, Kind: account.PhoneSession, Device: device, Proofs: signIn}
	browser := account.Session{ID: account.NewSessionID(), Account: id, Kind: account.BrowserSession, Proofs: signIn}
	guest := account.Session{ID: account.NewSessionID(), Account: id, Kind: account.GuestSession, Proofs: []account.Proof{{Method: account.ByApproval, At: noon}}}
	for _, tt := range []struct {
		name  string
		sess  account.Session
		later time.Duration
		want  account.Class
	}{
		{"phone, at once", phone, 0, account.Fresh},
		{"phone, some minutes old", phone, time.Hour, account.Person},
		{"phone, two days old", phone, 48 * time.Hour, account.OnDevice},
		{"browser, at once", browser, 0, account.Fresh},
		{"browser, two days old", browser, 48 * time.Hour, account.GuestClass},
		{"guest", guest, 0, account.GuestClass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.mu.Lock()
			r.now = noon.Add(tt.later)
			r.mu.Unlock()
			if got := r.Worth(tt.sess); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
