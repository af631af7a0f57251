package integrity

import "fmt"

// movedAlert is what alerts tell of moves; empty: it is none of theirs.
func movedAlert(a AlertRow, t told) string {
	phone, near := quoted(t.Name), ""
	if t.Near != "" {
		near = ", near " + t.Near
	}
	switch a.Kind {
	case "transfer.claimed":
		return fmt.Sprintf("A move of your account to a new phone%s%s has begun. If this was not you, cancel it and freeze your account.", phone, near)
	case "transfer.held":
		return fmt.Sprintf("Your account is about to move to a new phone%s%s. Nothing can be opened there before %s. If this was not you, cancel it now.",
			phone, near, when(t.OpensAt, a.At))
	case "transfer.committed":
		return fmt.Sprintf("Your account has moved from %s to a new phone%s%s. If this was not you, take it back on the old phone, or remove the new one.",
			name(t.Old, "a phone"), phone, near)
	case "transfer.recalled":
		return fmt.Sprintf("Your account was taken back to the old phone, and the new one%s was removed.", phone)
	case "transfer.contended":
		return fmt.Sprintf("A second phone has tried to scan the code of a new phone%s to which you were moving, so the move has ended. Somebody may have seen that code: show a new one.", phone)
	}
	return ""
}
