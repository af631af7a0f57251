package extauthz

import (
	"slices"
	"strings"
)

// The keys of context_extensions that are read.
const (
	extApp     = "staunch.app"
	extAccount = "staunch.account-header"
	extCountry = "staunch.country-header"
)

// route reads what the operator has written for the route into the fields of m.
// A client cannot set it, but can set the header fields that it names, unless a
// filter before this one overwrites them.
func (m *message) route(ext map[string]string, app string) error {
	for key := range ext {
		if strings.HasPrefix(key, "staunch.") && !slices.Contains([]string{extApp, extAccount, extCountry}, key) {
			return errorf("context_extensions has the unknown key %.60q; there are %s, %s and %s", key, extApp, extAccount, extCountry)
		}
	}
	if named, ok := ext[extApp]; ok && named != app {
		return errorf("%s is %.40q, and the token is that of %s", extApp, named, app)
	}
	if name, ok := ext[extAccount]; ok {
		lines := m.request.Header.Values(name)
		if len(lines) != 1 || lines[0] == "" { // without an account, anybody's key would do
			return errorf("the field %.60q, which %s names, is there %d times and must be once, not empty", name, extAccount, len(lines))
		}
		m.account = lines[0]
	}
	if name, ok := ext[extCountry]; ok {
		lines := m.request.Header.Values(name)
		if len(lines) > 1 { // one may be the client's own
			return errorf("the field %.60q, which %s names, is there %d times", name, extCountry, len(lines))
		}
		if len(lines) == 1 {
			m.country = lines[0]
		}
	}
	return nil
}
