package web

import (
	"time"

	"github.com/staunchid/staunch/account"
)

// page is what every page shows around its own part.
type page struct {
	App    *look
	Title  string
	Path   string         // of the navigation's current entry
	Script string         // address of the page's script
	Data   map[string]any // for the script, as JSON
	Unread int
	State  *stateView // of account pages; nil: nothing to say
}

// look is how an app shows itself: its settings reach a page as this text, a
// file, and a colour, and in no other way.
type look struct {
	Name    string
	Initial string // where there is no logo
	Logo    string // address; empty: none
	Icon    string
	Style   string
	Accent  string
}

// stateView is what stands on top of every account page while something is not
// as usual.
type stateView struct {
	state account.State
	Name  string // of it
	Holds []holdView
	Moves []moveView
}

// holdView is one thing that cools off or waits.
type holdView struct {
	Title, Text string
	Until       time.Time
	Seconds     int
	MayVeto     bool
	Stop        stopView
	Moved       bool // a phone that a move has left without the account
	Device      string
	Pending     string
}

// stopView is how the owner stops something, in words.
type stopView struct {
	Text   string // when to
	Button string
	Said   string // afterwards
}

// moveView is a move of the account to a new phone.
type moveView struct {
	ID           string
	Title, Text  string
	Phone, Place string // what the new phone says of itself, and what the server sees
	Begun        time.Time
	Clock        string // what the time left is until
	Until        time.Time
	Seconds      int
	MayCancel    bool
}

type tag struct{ Kind, Text string } // Kind: "good", "warn", "bad" or empty

type signInPage struct {
	page
	SignUp bool
	Said   string
}

type problemPage struct {
	page
	Text, Link, Label string
}

type overviewPage struct {
	page
	Name      string
	Advice    []adviceView
	Approvals []approvalRow
	Passkeys  int
	Devices   int
	Browsers  int
	MayFreeze bool
}

type adviceView struct{ Title, Text, Link, Label string }

type approvalRow struct {
	ID, Text string
	Expires  time.Time
	Waits    bool // it cannot be approved in the state that the account is in
}

type devicesPage struct {
	page
	Devices  []deviceView
	Browsers []browserView
}

type deviceView struct {
	ID, Name, Platform  string
	Tag                 *tag
	AddedAt, LastSeenAt time.Time
	MayVeto, Frozen     bool
}

// Gone is what is said of a device that the owner has stopped.
func (v deviceView) Gone() string { return v.Name + gone }

type browserView struct {
	ID, Label, Place      string
	This, Guest           bool
	CreatedAt, LastSeenAt time.Time
}

type passkeysPage struct {
	page
	Passkeys []passkeyView
}

type passkeyView struct {
	ID, Name, Provider, Where string
	Tag                       *tag
	AddedAt, LastUsedAt       time.Time
}

type alertsPage struct {
	page
	Alerts []alertView
}

type alertView struct {
	Text string
	New  bool
	At   time.Time
}

type approvePage struct {
	page
	Text, From         string
	CreatedAt, Expires time.Time
	Seconds            int
}
