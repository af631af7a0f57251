package recovery

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// words are those that people like to take for passwords, one a line: names,
// teams, animals, phrases.
//
//go:embed pinwords.txt
var words string

var wordSet = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.Lines(words) {
		set[strings.TrimSpace(w)] = true
	}
	return set
})

// common says why a PIN is one of those that many people choose, or is empty. Of
// the six-digit ones it finds 100,261: below about a tenth a blocklist helps
// little against 10 to 100 guesses (arXiv 2003.04868). No vault sees a PIN, so
// the phone must look.
func common(pin string) string {
	s := []rune(strings.ToLower(pin))
	switch {
	case digits(s) && (date(string(s)) || year(string(s))):
		return "a date or a year is among the first that others try"
	case distinct(s) <= 2:
		return "it has only one or two different characters"
	case periodic(s):
		return "it repeats itself"
	case stepped(s):
		return "its characters count up or down"
	case palindrome(s):
		return "it is the same backwards"
	case doubled(s):
		return "it is made of pairs"
	case keyboard(string(s)):
		return "its keys lie in a row"
	case word(string(s)):
		return "it is among the most common words"
	}
	return ""
}

func digits(s []rune) bool {
	return !slices.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func number(s string) (n int) {
	for _, c := range []byte(s) {
		n = 10*n + int(c-'0')
	}
	return n
}

// date is DDMMYY, MMDDYY or YYMMDD; the same with four digits for the year; or
// a day and a month alone.
func date(s string) bool {
	day := func(dd, mm string) bool {
		d, m := number(dd), number(mm)
		return 1 <= d && d <= 31 && 1 <= m && m <= 12
	}
	either := func(a, b string) bool { return day(a, b) || day(b, a) }
	switch len(s) {
	case 4:
		return either(s[:2], s[2:])
	case 6:
		return either(s[:2], s[2:4]) || day(s[4:], s[2:4])
	case 8:
		return either(s[:2], s[2:4]) && century(s[4:]) || century(s[:4]) && day(s[6:], s[4:6])
	}
	return false
}

func century(s string) bool { return s[:2] == "19" || s[:2] == "20" }

// year is one of 1970 to 2029, first or last, and little else.
func year(s string) bool {
	within := func(s string) bool { n := number(s); return 1970 <= n && n <= 2029 }
	return 4 <= len(s) && len(s) <= 8 && (within(s[:4]) || within(s[len(s)-4:]))
}

func distinct(s []rune) int {
	s = slices.Clone(s)
	slices.Sort(s)
	return len(slices.Compact(s))
}

// periodic is one, two or three characters again and again.
func periodic(s []rune) bool {
	for p := 1; p <= 3 && 2*p <= len(s); p++ {
		if slices.Equal(s[p:], s[:len(s)-p]) && len(s)%p == 0 {
			return true
		}
	}
	return false
}

// stepped is a constant step: of digits modulo 10, of others in their alphabet.
func stepped(s []rune) bool {
	if len(s) < 3 {
		return false
	}
	step := func(i int) rune {
		d := s[i+1] - s[i]
		if digits(s) {
			d = (d + 10) % 10
		}
		return d
	}
	for i := 1; i < len(s)-1; i++ {
		if step(i) != step(0) {
			return false
		}
	}
	return true
}

func palindrome(s []rune) bool {
	back := slices.Clone(s)
	slices.Reverse(back)
	return slices.Equal(s, back)
}

// doubled is AABBCC.
func doubled(s []rune) bool {
	for i := 0; i+1 < len(s); i += 2 {
		if s[i] != s[i+1] {
			return false
		}
	}
	return len(s)%2 == 0
}

// rows are those of the keyboards in use. Rows of digits are found otherwise.
const rows = "qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn " +
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8o9p0 " +
	"qazwsxedcrfvtgbyhnujmikolp йцукенгшщзхъ фывапролджэ ячсмитьбю"

// keyboard is a run of one row, forwards or backwards, or two runs of four or
// more that follow each other.
func keyboard(s string) bool {
	run := func(s string) bool {
		back := []rune(s)
		slices.Reverse(back)
		return strings.Contains(rows, s) || strings.Contains(rows, string(back))
	}
	if strings.Contains(s, " ") {
		return false
	}
	if run(s) {
		return true
	}
	r := []rune(s)
	for i := 4; i <= len(r)-4; i++ {
		if run(string(r[:i])) && run(string(r[i:])) {
			return true
		}
	}
	return false
}

// word is one of the list, also with a short ornament: up to two digits or
// signs, a count from 1, or a year.
func word(s string) bool {
	core := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if core == "" {
		return false
	}
	at := strings.Index(s, core)
	return wordSet()[core] && ornament(s[:at]) && ornament(s[at+len(core):]) || wordSet()[s]
}

func ornament(s string) bool {
	return len(s) <= 2 || strings.HasPrefix("1234567890", s) || len(s) == 4 && digits([]rune(s)) && year(s)
}
