package transfer_test

import (
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

// changes are those to a message that a command asks for.
func changes(a args) func(any) {
	wrong := [32]byte{1, 2, 3}
	return func(m any) {
		for name, value := range a {
			switch m := m.(type) {
			case *handover.Offer:
				switch name {
				case "version":
					m.Public[0] = 2
				case "beacons":
					m.Public[1] = 8
				case "suite":
					m.Public[2] = 2
				case "key":
					m.Key[0]++
				case "schema":
					m.SchemaLow = 7
				case "model":
					m.Info.Model = value
				}
			case *handover.Hello:
				switch name {
				case "class":
					m.Class = handover.Class(value)
				case "account":
					m.Account = string(eve)
				case "device":
					m.DeviceID = string(other)
				case "audience":
					m.Audience = value
				case "label":
					m.Label = value
				}
			case *handover.Answer:
				if name == "nonce" {
					m.Nonce = wrong
				}
			case *handover.Matched:
				if name == "passkey" {
					m.Passkey = []byte(value)
				}
			case *handover.Confirm:
				if name == "bytes" {
					m.Bytes = uint64(a.number(name, 0))
				}
			case *handover.Grant:
				switch name {
				case "root":
					m.Root = wrong
				case "records":
					m.Records = uint64(a.number(name, 0))
				case "bytes":
					m.Bytes = uint64(a.number(name, 0))
				case "revision":
					m.Revision = uint64(a.number(name, 0))
				case "key":
					m.SealingKeyHash = wrong
				case "expires":
					m.Expires = uint64(epoch.Add(time.Duration(a.number(name, 0)) * time.Hour).Unix())
				case "stepup":
					m.StepUp = map[string]*handover.StepUp{"yes": &stepUp}[value]
				}
			case *handover.Receipt:
				switch name {
				case "root":
					m.Root = wrong
				case "bytes":
					m.Bytes++
				case "objects":
					m.Objects++
				case "quarantined":
					m.Quarantined = uint64(a.number(name, 0))
				}
			case *handover.Ack:
				if name == "key" {
					m.SealingKeyHash = wrong
				}
			case *handover.Recall:
				if name == "why" {
					m.Reason = value
				}
			case *handover.Final:
				if name == "approval" {
					m.StepUp.Approval = value
				}
			}
		}
	}
}
