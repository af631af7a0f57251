package integrity_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/staunchid/staunch/integrity"
)

// TestRowsMAC: a change of any field changes the MAC of an approval, a join and a
// pending action.
func TestRowsMAC(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	for _, row := range []interface{ Seal(key []byte) []byte }{&integrity.ApprovalRow{}, &integrity.JoinRow{}, &integrity.PendingRow{}} {
		before := row.Seal(key)
		v := reflect.ValueOf(row).Elem()
		fields := reflect.VisibleFields(v.Type())
		for c := range v.NumField() {
			if v.Field(c).Type() == reflect.TypeFor[integrity.Creator]() {
				for _, f := range reflect.VisibleFields(v.Field(c).Type()) {
					f.Index = append([]int{c}, f.Index...)
					fields = append(fields, f)
				}
			}
		}
		for _, f := range fields {
			at := v.FieldByIndex(f.Index)
			switch at.Interface().(type) {
			case time.Time:
				at.Set(reflect.ValueOf(time.UnixMicro(1)))
			case integrity.Creator:
				continue // field by field
			default:
				switch at.Kind() {
				case reflect.String:
					at.SetString("x")
				case reflect.Bool:
					at.SetBool(true)
				case reflect.Slice:
					at.SetBytes([]byte("x"))
				case reflect.Uint8:
					at.SetUint(1)
				default:
					at.SetInt(1)
				}
			}
			if same := bytes.Equal(row.Seal(key), before); same != (f.Name == "MAC") {
				t.Errorf("%T.%s: in the MAC %v", row, f.Name, !same)
			}
			at.SetZero()
		}
	}
}
