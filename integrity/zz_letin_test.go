package integrity_test

import "github.com/staunchid/staunch/integrity"

func (p *phone) letIn(o *integrity.JoinOpened) {
	p.r.t.Helper()
	ctx := p.r.t.Context()
	err := p.r.opts.Update(ctx, func(tx integrity.Tx) error {
		j, _, err := tx.Join(ctx, o.Join)
		if err != nil {
			return err
		}
		j.Account, j.By, j.State = p.account, p.device, integrity.StateConfirmed
		_, err = tx.PutJoin(ctx, j, integrity.StateOpen)
		return err
	})
	if err != nil {
		p.r.t.Fatal(err)
	}
}
