package transfer_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// TestRowsAreSealed: a change to any field of a row breaks its MAC, but for place and
// network once the owner has confirmed: they are forgotten before the row is.
func TestRowsAreSealed(t *testing.T) {
	for state, free := range map[transfer.State]map[string]bool{
		transfer.Claimed:   {}, // until then they may be why it is held
		transfer.Committed: {"Place": true, "Network": true},
	} {
		sealedRow(t, state, free)
	}
}

// sealedRow changes each field of a row in a state; free are those that may change.
func sealedRow(t *testing.T, state transfer.State, free map[string]bool) {
	t.Helper()
	r := to(t, state, "none")
	row := r.row("t")
	key := r.opts.RowKey
	if !row.Sound(key) || row.Sound(bytes.Repeat([]byte{8}, 32)) || (transfer.Transfer{}).Sound(key) {
		t.Fatal("the MAC of a stored row")
	}
	for i := range reflect.TypeFor[transfer.Transfer]().NumField() {
		changed := row
		field, name := reflect.ValueOf(&changed).Elem().Field(i), reflect.TypeFor[transfer.Transfer]().Field(i).Name
		switch v := field.Addr().Interface().(type) {
		case *time.Time:
			*v = v.Add(time.Microsecond)
		case *[]byte:
			*v = append(bytes.Clone(*v), 1)
		case *[]string:
			*v = append(*v, "x")
		case *map[handover.Step]uint64:
			*v = map[handover.Step]uint64{handover.StepOffer: 9}
		default:
			switch field.Kind() {
			case reflect.String:
				field.SetString(field.String() + "x")
			case reflect.Uint64, reflect.Uint32:
				field.SetUint(field.Uint() + 1)
			default:
				t.Fatalf("field %s is of a kind that this test does not change", name)
			}
		}
		if changed.Sound(key) != free[name] {
			t.Errorf("%s: changed %s: sound %t", state, name, changed.Sound(key))
		}
	}
}

// TestTampered names whose row it was.
func TestTampered(t *testing.T) {
	r := to(t, transfer.Claimed, "lan")
	r.walk(want{"tamper", nil})
	var e *transfer.Tampered
	if _, err := r.do("look", nil); !errors.As(err, &e) || e.ID != idOf("t") || e.Account != alice {
		t.Errorf("%v", err)
	}
}

// TestNew refuses what it cannot work with.
func TestNew(t *testing.T) {
	for name, change := range map[string]func(*transfer.Options){
		"App":      func(o *transfer.Options) { o.App = "X" },
		"Update":   func(o *transfer.Options) { o.Update = nil },
		"View":     func(o *transfer.Options) { o.View = nil },
		"Blobs":    func(o *transfer.Options) { o.Blobs = nil },
		"RowKey":   func(o *transfer.Options) { o.RowKey = o.RowKey[:31] },
		"Audience": func(o *transfer.Options) { o.Audience = "" },
		"Policy":   func(o *transfer.Options) { o.Policy = transfer.Policy{} },
	} {
		o := newRig(t).opts
		change(&o)
		if _, err := transfer.New(&o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
