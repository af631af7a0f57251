package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/staunchid/staunch/account"
)

// errFreezeCode: what was typed has not the form of a freeze code.
var errFreezeCode = errors.New("web: no freeze code")

// freezePage is /freeze, for somebody who has the code on paper and nothing else.
func (c *call) freezePage() error {
	return c.pages.Render(c.w, http.StatusOK, "freeze", signInPage{page: c.page("freeze", "Freeze your account", "")})
}

// freezeByCode stops the account that a code is of. The answer does not say whether
// there is one.
func (c *call) freezeByCode() (any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if _, err := account.ParseFreezeCode(in.Code); err != nil {
		return nil, fmt.Errorf("%w: %w", errFreezeCode, err)
	}
	if err := c.service.FreezeByCode(c.r.Context(), c.anonymous(), in.Code); err != nil {
		return nil, err
	}
	return changed{Said: "If that is the freeze code of an account here, the account is frozen now and its devices are told. If nothing happens on them, compare the code with what you wrote down."}, nil
}
