package account

// Kind says what sort of somebody makes a request.
type Kind string

// The kinds of callers. The zero Kind may do nothing.
const (
	Anonymous Kind = "anonymous" // nobody has proved anything
	Phone     Kind = "phone"     // a request proof by an attested key: Account is the key's
	Backend   Kind = "backend"   // the app's own service, by the key the config names
	Operator  Kind = "operator"  // a person at the console or on the server's machine
	System    Kind = "system"    // Staunch itself: the clock, a job
)

// Caller is who makes a request, as the edge has proved it.
type Caller struct {
	Kind    Kind
	App     AppID  // the app he acts in; a caller acts in one only
	Account ID     // of a Phone; empty for the others
	Name    string // which one of its kind: a key id, an operator's name; may be empty
}

// In reports whether c is a known kind of caller of app.
func (c Caller) In(app AppID) bool {
	switch c.Kind {
	case Anonymous, Phone, Backend, Operator, System:
		return c.App == app && app != ""
	}
	return false
}
