package jsonobject_test

import (
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
