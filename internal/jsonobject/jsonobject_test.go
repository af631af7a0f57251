package jsonobject_test

import (
	"strings"
	"testing"

	"github.com/staunchid/staunch/internal/jsonobject"
)

func TestMembers(t *testing.T) {
	members, err := jsonobject.Members([]byte(" {\"a\": 1, \"A\": {\"b\": [2]}, \"\": null} \n"))
	if err != nil || len(members) != 3 || string(members["a"]) != "1" || string(members["A"]) != `{"b": [2]}` || string(members[""]) != "null" {
		t.Errorf("%v, %v", members, err)
	}
	for name, text := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "text": `"a"`, "cut": `{"a":1`, "no value": `{"a"}`, "twice": `{"a":1,"b":2,"a":1}`,
		"twice, escaped": `{"a":1,"\u0061":1}`, "trailing": `{} {}`, "comma": `{"a":1,}`, "bad value": `{"a":nil}`,
	} {
		if members, err := jsonobject.Members([]byte(text)); err == nil || members != nil {
			t.Errorf("%s: %v, %v", name, members, err)
		}
	}
}

// TestCutOff: a text that was cut off says so.
func TestCutOff(t *testing.T) {
	for text, want := range map[string]string{
		"": "nothing is there", " \n": "nothing is there",
		"{": "ends in the middle", `{"a"`: "ends in the middle", `{"a":`: "ends in the middle", `{"a":[1`: "ends in the middle", `{"a":1`: "ends in the middle",
	} {
		if _, err := jsonobject.Members([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
