package main

import (
	"strings"
	"testing"
	"time"
)

// flat is ten minutes of a server that does not grow.
func flat() []sample {
	var all []sample
	for i := range 60 {
		s := sample{at: time.Duration(i) * 10 * time.Second, resident: 60 << 20, heap: 10 << 20, goroutines: 40, files: 30, store: 1 << 20}
		if i%3 != 0 {
			s.heap += 8 << 20 // until the next collection
		}
		if i < 6 {
			s.resident, s.goroutines = 30<<20, 20 // it warms up
		}
		all = append(all, s)
	}
	return all
}

func TestJudge(t *testing.T) {
	late := func(edit func(*sample)) func([]sample) {
		return func(all []sample) {
			for i := range all {
				if all[i].at >= 9*time.Minute {
					edit(&all[i])
				}
			}
		}
	}
	tests := []struct {
		name   string
		change func([]sample)
		want   string // empty: it does not grow
	}{
		{"flat", func([]sample) {}, ""},
		{"heap between collections", late(func(s *sample) { s.heap += 1 }), ""},
		{"resident", late(func(s *sample) { s.resident += 100 << 20 }), "resident memory has grown from 60.0 to 160.0 MiB, and 77.0 would do"},
		{"the page cache fills", func(all []sample) {
			for i := range all {
				if all[i].at < 5*time.Minute {
					all[i].resident -= 16 << 20
				}
			}
		}, ""},
		{"heap", late(func(s *sample) { s.heap *= 2 }), "the live heap has grown from 10.0 to 20.0 MiB"},
		{"goroutines", late(func(s *sample) { s.goroutines = 90 }), "the number of goroutines has grown from 40.0 to 90.0"},
		{"files", late(func(s *sample) { s.files = 41 }), "the number of open files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := flat()
			tt.change(all)
			err := judge(cut(all, 10*time.Minute))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestCut: what is measured after the end belongs to the last part.
func TestCut(t *testing.T) {
	all := append(flat(), sample{at: 10*time.Minute + time.Second, resident: 60 << 20, heap: 10 << 20, store: 5})
	table := cut(all, 10*time.Minute)
	for i, p := range table {
		want := 6
		if i == parts-1 {
			want = 7
		}
		if p.n != want || p.end-p.begin != time.Minute {
			t.Errorf("part %d: %d samples from %s to %s", i, p.n, p.begin, p.end)
		}
	}
	if last := table[parts-1]; last.store != 5 || last.live != 10<<20 {
		t.Errorf("the last part is %+v", last)
	}
	var b strings.Builder
	write(&b, table)
	if want := "| 9m0s | 10m0s | 60.0 | 10.0 | 40 | 30 | 0.0 |\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s\nwant at the end %s", b.String(), want)
	}
}
