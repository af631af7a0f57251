package load

import "testing"

func TestSurprise(t *testing.T) {
	accepted := answer{allowed: true, accepted: true, keyID: "k", account: "a"}
	refused := answer{codes: []string{"android.ca_bit"}}
	good := expect{accept: true, key: "k", account: "a"}
	bad := expect{code: "android.ca_bit"}
	either := expect{accept: true, either: true, code: "android.ca_bit"}
	tests := []struct {
		name   string
		want   expect
		got    answer
		change func(*expect, *answer)
		text   string // empty: no surprise
	}{
		{"good", good, accepted, nil, ""},
		{"any key", good, accepted, func(e *expect, a *answer) { e.key, e.account, a.keyID = "", "", "x" }, ""},
		{"another key", good, accepted, func(_ *expect, a *answer) { a.keyID = "x" }, `another key is named: "x" of "a"`},
		{"another account", good, accepted, func(_ *expect, a *answer) { a.account = "b" }, `another key is named: "k" of "b"`},
		{"no key", good, accepted, func(_ *expect, a *answer) { a.keyID = "" }, `another key is named: "" of "a"`},
		{"accepted and denied", good, accepted, func(_ *expect, a *answer) { a.allowed = false }, "accepted by the verdict, and denied"},
		{"good refused", good, refused, nil, "refused for android.ca_bit"},
		{"good refused and observed", good, refused, func(_ *expect, a *answer) { a.allowed = true }, "refused for android.ca_bit"},
		{"good refused silently", good, refused, func(_ *expect, a *answer) { a.codes = nil }, "refused without a code"},

		{"bad", bad, refused, nil, ""},
		{"bad with more", bad, refused, func(_ *expect, a *answer) { a.codes = append(a.codes, "android.origin") }, ""},
		{"bad and observed", bad, refused, func(_ *expect, a *answer) { a.allowed = true }, ""},
		{"let in", bad, accepted, nil, "let in, which android.ca_bit should have refused"},
		{"another reason", bad, refused, func(_ *expect, a *answer) { a.codes = []string{"android.origin"} }, "refused for android.origin, and not for android.ca_bit"},

		{"observed key of a registration", bad, refused, func(_ *expect, a *answer) { a.keyID = "k" }, ""},
		{"key of a refused request", bad, refused, func(e *expect, a *answer) { e.key, e.account, a.keyID = "k", "a", "k" }, `refused for android.ca_bit, and the key "k" is named all the same`},

		{"either, accepted", either, accepted, nil, ""},
		{"either, refused", either, refused, nil, ""},
		{"either, with more", either, refused, func(_ *expect, a *answer) { a.codes = append(a.codes, "android.origin") }, "refused for android.ca_bit android.origin, and not for android.ca_bit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, got := tt.want, tt.got
			if tt.change != nil {
				tt.change(&want, &got)
			}
			if text := want.surprise(&got); text != tt.text {
				t.Errorf("%q, want %q", text, tt.text)
			}
		})
	}
}
