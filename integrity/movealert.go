package integrity

import "fmt"

// movedAlert is what alerts tell of moves; empty: it is none of theirs.
func movedAlert(a AlertRow, t told) string {
	phone := newPhone(t)
	switch a.Kind {
	case "transfer.claimed":
		return "A move of your account to a new phone has begun" + phone + ". If this was not you, cancel it and freeze your account."
	case "transfer.held":
		return fmt.Sprintf("Your account is about to move to a new phone%s. Nothing can be opened there before %s. If this was not you, cancel it now and freeze your account.",
			phone, when(t.OpensAt, a.At))
	case "transfer.committed":
		return fmt.Sprintf("Your account has moved from %s to a new phone%s. If this was not you, take it back on the old phone, or remove the new one.",
			name(t.Old, "your old phone"), phone)
	case "transfer.recalled":
		return fmt.Sprintf("Your account was taken back to the old phone, and the new one%s was removed.", quoted(t.Name))
	case "transfer.contended":
		return "A second phone has scanned the code of the new phone to which your account was to move, so the move has ended" + phone +
			". Somebody else may have seen that code: show a new one where nobody looks on."
	}
	return ""
}

// newPhone is what an alert says of the phone that a move goes to: its model, as it
// says, and where the server sees it.
func newPhone(t told) string {
	if t.Near == "" {
		return colon(t.Name)
	}
	if t.Name == "" {
		return colon("seen at " + t.Near)
	}
	return colon(t.Name + ", seen at " + t.Near)
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}
