package main

import (
	"context"
	"fmt"
	"io"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
)

// PhoneJoinCmd is `staunch phone join`.
type PhoneJoinCmd struct {
	newPhoneFlags `embed:""`
	phoneFlags    `embed:""`
}

// Help is the long text of --help.
func (PhoneJoinCmd) Help() string {
	return `The phone shows a code and a number, and waits until a device of the account has approved it:

  staunch phone approve --home OLD --code CODE --number NN

With --json it prints two lines: the code, and then what enroll prints.`
}

// Run joins.
func (c *PhoneJoinCmd) Run(s *streams) error {
	return c.make(s, &c.newPhoneFlags, client.FlowJoin, func(ctx context.Context, r *phoneRun, in *client.Enrolment) error {
		e, err := r.phone.Join(ctx, in, func(j client.Joining) error {
			return r.print(&joinReport{true, j.Join, j.Code, j.Number, moment(j.ExpiresAt)})
		})
		if err != nil {
			return err
		}
		if err := r.finished(e); err != nil {
			return err
		}
		return r.print(r.enrolled(e, in))
	})
}

// joinReport is what a phone shows that wants to be let in.
type joinReport struct {
	OK        bool           `json:"ok"`
	Join      account.JoinID `json:"join"`
	Code      string         `json:"code"`
	Number    string         `json:"number"`
	ExpiresAt moment         `json:"expires_at"`
}

func (j *joinReport) words(w io.Writer) error {
	return writeLines(w,
		"On a phone that is in the account, run:",
		"",
		"  staunch phone approve --home ITS_FOLDER --code "+quoted(j.Code)+" --number "+j.Number,
		"",
		"    code    "+j.Code,
		"    number  "+j.Number,
		"",
		fmt.Sprintf("Waiting until %s. Ctrl-C stops; run the same again to go on.", j.ExpiresAt.inWords()),
		"")
}
