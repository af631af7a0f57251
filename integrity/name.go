package integrity

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkName reports whether a text may be the name of a device or a passkey: it
// is shown to people, in lists and in approvals.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("%w: a name has at most %d characters", ErrMalformed, maxName)
	case name == "":
		return fmt.Errorf("%w: the name is missing", ErrMalformed)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: a name is printable text on one line", ErrMalformed)
		}
	}
	return nil
}

// inQuotes is a name as the text of an approval has it. A stranger may have
// chosen it, so it cannot end the quotation and go on as words of ours.
func inQuotes(name string) string {
	return "“" + strings.NewReplacer("“", "'", "”", "'", "„", "'", "‟", "'", `"`, "'").Replace(name) + "”"
}
