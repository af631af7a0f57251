package client

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// claimed takes the current phone's first message, and answers it.
func (r *receiving) claimed(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepHello); err == nil {
		return nil
	}
	e, err := r.watch.envelope(ctx, handover.StepHello)
	if err != nil {
		return err
	}
	m, err := r.half.HandleHello(e)
	if err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	r.beacon.close()
	r.file.URI, r.file.Class, r.file.Account = "", string(m.Class), account.ID(m.Account)
	if err := r.save(r.half); err != nil {
		return err
	}
	r.tell.tell(MoveEvent{Event: EventClaimed, Label: m.Label, Info: infoOf(m.Info)})
	return nil
}

// match has the person type the number, and makes the passkey.
func (r *receiving) match(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepConfirm); err == nil {
		return nil
	}
	var options string
	for again := false; ; again = true {
		if _, err := r.half.Value(handover.StepMatched); err != nil || again {
			if options, err = r.answer(ctx); err != nil {
				return err
			}
			if err := r.number(ctx); err != nil {
				return err
			}
			response, err := r.p.create(ctx, options)
			if err != nil {
				return err
			}
			if err := r.p.change(ctx, func(*PhoneState) {}); err != nil { // the passkey is kept before the server knows it
				return err
			}
			r.file.Passkey = []byte(response)
		}
		e, err := r.half.Matched(r.file.Passkey, nil)
		if err != nil {
			return fmt.Errorf("client: the move: %w", err)
		}
		if err := r.save(r.half); err != nil {
			return err
		}
		b, err := e.Encode()
		if err != nil {
			return fmt.Errorf("client: the move: %w", err)
		}
		res, err := r.p.moves.Match(unsigned(ctx), connect.NewRequest(&transferv1.MatchRequest{
			Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b, Ceremony: r.file.Ceremony,
		}))
		if err == nil {
			r.watch.take(res.Msg.GetView())
			r.tell.tell(MoveEvent{Event: EventMatched})
			return nil
		}
		if again || !staleStepUp(err) {
			return r.refused(err)
		}
	}
}

// answer sends the nonce, and gets the ceremony of the passkey.
func (r *receiving) answer(ctx context.Context) (options string, err error) {
	e, err := r.half.Answer()
	if err != nil {
		return "", fmt.Errorf("client: the move: %w", err)
	}
	if err := r.save(r.half); err != nil {
		return "", err
	}
	b, err := e.Encode()
	if err != nil {
		return "", fmt.Errorf("client: the move: %w", err)
	}
	res, err := r.p.moves.Answer(unsigned(ctx), connect.NewRequest(&transferv1.AnswerRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b}))
	if err != nil {
		return "", r.refused(err)
	}
	r.watch.take(res.Msg.GetView())
	r.file.Ceremony = res.Msg.GetCeremony()
	return res.Msg.GetOptions(), r.dir.save(r.file)
}

// number has it typed: three tries in all, also over restarts.
func (r *receiving) number(ctx context.Context) error {
	if r.file.Typed {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // who waits for a person hears that it has ended
		if _, err := r.watch.until(ctx, func(*transferv1.View) bool { return false }); err != nil {
			cancel(err)
		}
	}()
	for {
		left := r.half.TriesLeft()
		r.tell.tell(MoveEvent{Event: EventNumberWanted, TriesLeft: left})
		typed, err := r.o.Number(ctx, left)
		if err != nil {
			if e := (*MoveEnded)(nil); errors.As(context.Cause(ctx), &e) {
				return e
			}
			return err
		}
		err = r.half.Number(typed)
		r.file.Typed = err == nil
		if saved := r.save(r.half); saved != nil { // a try is not given back
			return saved
		}
		wrong := (*handover.NumberError)(nil)
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &wrong):
			return fmt.Errorf("client: the move: %w", err)
		}
		r.tell.tell(MoveEvent{Event: EventNumberWrong, TriesLeft: wrong.Left})
		if wrong.Left <= 0 {
			return r.cancel(ctx, "number_mismatch", err)
		}
	}
}

// confirmed waits for the other person's passkey.
func (r *receiving) confirmed(ctx context.Context) error {
	if _, err := r.half.Value(handover.StepConfirm); err == nil {
		return nil
	}
	e, err := r.watch.envelope(ctx, handover.StepConfirm)
	if err != nil {
		return err
	}
	m, err := r.half.HandleConfirm(e)
	if err != nil {
		return r.cancel(ctx, "integrity", checked(err))
	}
	if err := r.save(r.half); err != nil {
		return err
	}
	r.file.Fraction[1] = m.Bytes
	r.tell.tell(MoveEvent{Event: EventConfirmed, Class: r.file.Class, Bytes: m.Bytes})
	return nil
}
