package main

import (
	"encoding/hex"
	"math"
	"time"

	"github.com/staunchid/staunch/client"
)

// eventHead begins each line of JSON.
type eventHead struct {
	Event    string `json:"event"`
	At       moment `json:"at"`
	Transfer string `json:"transfer"`
}

func headOf(e *client.MoveEvent) eventHead {
	return eventHead{e.Event, moment(e.At), string(e.Transfer)}
}

// The lines of each event (transfer, "The reference phone in the terminal").
// What is not known is null.
type (
	offerEvent struct {
		eventHead
		URI     string `json:"uri"`
		QRPNG   known  `json:"qr_png"`
		Expires moment `json:"expires"`
	}
	claimedEvent struct {
		eventHead
		Label  known `json:"label"`
		Device known `json:"device"`
		OS     known `json:"os"`
	}
	peerEvent struct {
		eventHead
		Device      known    `json:"device"`
		OS          known    `json:"os"`
		App         known    `json:"app"`
		Verified    bool     `json:"verified"`
		Findings    []string `json:"findings"`
		Place       known    `json:"place"`
		SameNetwork bool     `json:"same_network"`
		Proximity   known    `json:"proximity"`
	}
	numberEvent struct {
		eventHead
		Number string `json:"number"`
	}
	triesEvent struct {
		eventHead
		TriesLeft int `json:"tries_left"`
	}
	confirmedEvent struct {
		eventHead
		Class known  `json:"class"`
		Bytes uint64 `json:"bytes"`
	}
	heldEvent struct {
		eventHead
		Until   moment   `json:"until"`
		Reasons []string `json:"reasons"`
	}
	resumedEvent struct {
		eventHead
		State known  `json:"state"`
		Done  uint64 `json:"done"`
	}
	restartedEvent struct {
		eventHead
		Revision uint32 `json:"revision"`
		Reason   known  `json:"reason"`
	}
	retryEvent struct {
		eventHead
		Reason known   `json:"reason"`
		AfterS float64 `json:"after_s"`
	}
	progressEvent struct {
		eventHead
		Phase        string   `json:"phase"`
		Done         uint64   `json:"done"`
		Total        *uint64  `json:"total"`
		Objects      uint64   `json:"objects"`
		ObjectsTotal *uint64  `json:"objects_total"`
		Rate         *float64 `json:"rate"`
		ETA          *float64 `json:"eta_s"`
	}
	quarantinedEvent struct {
		eventHead
		Path   string  `json:"path"`
		Line   *uint64 `json:"line"`
		Reason string  `json:"reason"`
	}
	sealedEvent struct {
		eventHead
		Root    known  `json:"root"`
		Bytes   uint64 `json:"bytes"`
		Objects uint64 `json:"objects"`
	}
	committedEvent struct {
		eventHead
		Account known `json:"account"`
	}
	signedOutEvent struct {
		eventHead
		RecallUntil moment `json:"recall_until"`
	}
)

// eventDone is the last line of exit 0 of receive and send.
const eventDone = "done"

// doneEvent is the last line of receive and send.
type doneEvent struct {
	eventHead
	Role             string `json:"role"`
	Account          known  `json:"account"`
	Device           known  `json:"device"`
	Objects          uint64 `json:"objects"`
	Bytes            uint64 `json:"bytes"`
	Quarantined      uint64 `json:"quarantined"`
	SealingKeySHA256 known  `json:"sealing_key_sha256"`
	RecallUntil      moment `json:"recall_until"`
}

func doneJSON(m *client.Moved, at time.Time) doneEvent {
	return doneEvent{
		eventHead{eventDone, moment(at), string(m.Transfer)}, m.Role, known(m.Account), known(m.Device), m.Objects, m.Bytes, m.Quarantined,
		known(sumText(m.SealingKeySHA256)), moment(m.RecallUntil),
	}
}

// standingEvent is the last line of status, cancel, recall and finalize.
type standingEvent struct {
	eventHead
	Role             string  `json:"role"`
	State            known   `json:"state"`
	Reason           known   `json:"reason"`
	SignedIn         bool    `json:"signed_in"`
	Account          known   `json:"account"`
	Device           known   `json:"device"`
	SealingKeySHA256 known   `json:"sealing_key_sha256"`
	Objects          *uint64 `json:"objects"`
	Bytes            *uint64 `json:"bytes"`
	Done             *uint64 `json:"done"`
	Total            *uint64 `json:"total"`
	HeldUntil        moment  `json:"held_until"`
	RecallUntil      moment  `json:"recall_until"`
	Quarantined      *uint64 `json:"quarantined"`
	Server           string  `json:"server"`
}

func standingJSON(m *client.MoveStanding, signedIn bool, at time.Time) standingEvent {
	e := standingEvent{
		eventHead: eventHead{"status", moment(at), string(m.Transfer)}, Role: m.Role, State: known(m.State), Reason: known(m.Reason), SignedIn: signedIn,
		Account: known(m.Account), Device: known(m.Device), SealingKeySHA256: known(sumText(m.SealingKey)),
		HeldUntil: moment(m.HeldUntil), RecallUntil: moment(m.RecallUntil), Server: "unreachable",
	}
	if m.Reachable {
		e.Server = "ok"
	}
	if m.Role != client.RoleNone {
		e.Objects, e.Bytes, e.Done, e.Total, e.Quarantined = &m.Objects, &m.Bytes, &m.Done, &m.Total, &m.Quarantined
	}
	return e
}

// errorEvent is the last line of every exit but 0.
type errorEvent struct {
	eventHead
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Exit    int    `json:"exit"`
	OpensAt moment `json:"opens_at"`
	RetryAt moment `json:"retry_at"`
}

// eventJSON is the line of an event. qrPNG is where the code lies as a picture.
func eventJSON(e *client.MoveEvent, qrPNG string) any {
	h := headOf(e)
	switch e.Event {
	case client.EventOffer:
		return offerEvent{h, e.URI, known(qrPNG), moment(e.Expires)}
	case client.EventClaimed:
		return claimedEvent{h, known(e.Label), known(e.Info.Model), known(e.Info.OS)}
	case client.EventPeer:
		p := e.Peer
		return peerEvent{h, known(p.Info.Model), known(p.Info.OS), known(p.Info.App), p.Verified, listed(p.Findings), known(p.Place), p.SameNetwork, known(p.Proximity)}
	case client.EventNumber:
		return numberEvent{h, e.Number}
	case client.EventNumberWanted, client.EventNumberWrong:
		return triesEvent{h, e.TriesLeft}
	case client.EventConfirmed:
		return confirmedEvent{h, known(e.Class), e.Bytes}
	case client.EventHeld:
		return heldEvent{h, moment(e.Until), listed(e.Reasons)}
	case client.EventResumed:
		return resumedEvent{h, known(e.State), e.Done}
	case client.EventRestarted:
		return restartedEvent{h, e.Revision, known(e.Reason)}
	case client.EventRetry:
		return retryEvent{h, known(e.Reason), toTenths(e.After)}
	case client.EventProgress:
		return progressJSON(e)
	case client.EventQuarantined:
		q := quarantinedEvent{eventHead: h, Path: e.Path, Reason: e.Reason}
		if e.Line > 0 {
			q.Line = &e.Line
		}
		return q
	case client.EventSealed:
		return sealedEvent{h, known(sumText(e.Root)), e.Bytes, e.Objects}
	case client.EventCommitted:
		return committedEvent{h, known(e.Account)}
	case client.EventSignedOut:
		return signedOutEvent{h, moment(e.RecallUntil)}
	}
	return h // matched, and what says nothing but that it happened
}

func progressJSON(e *client.MoveEvent) progressEvent {
	p := progressEvent{eventHead: headOf(e), Phase: e.Phase, Done: e.Done, Objects: e.Objects}
	if e.Total > 0 {
		p.Total = &e.Total
	}
	if e.ObjectsTotal > 0 {
		p.ObjectsTotal = &e.ObjectsTotal
	}
	if e.Rate >= 0 {
		rate := math.Round(e.Rate)
		p.Rate = &rate
	}
	if e.ETA >= 0 { // never 0 before the account has moved (section 8.4)
		eta := max(toTenths(e.ETA), 0.1)
		p.ETA = &eta
	}
	return p
}

func toTenths(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// listed is a list that prints as [] when it is empty.
func listed(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

// sumText is a SHA-256 as it is printed, and nothing where there is none.
func sumText(sum [32]byte) string {
	if sum == ([32]byte{}) {
		return ""
	}
	return hex.EncodeToString(sum[:])
}
