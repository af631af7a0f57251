package recovery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
)

// limited lets no call through to a vault.
type limited struct {
	*recoverytest.Service
	err error
}

func (l *limited) CallVault(context.Context, *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	return nil, l.err
}

// TestRate: a phone that is told to wait hears until when, whatever else failed.
func TestRate(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	until := time.Now().Add(time.Hour)
	p.net.Transport = &limited{p.service, &recovery.RateError{RetryAt: until}}
	p.vaults.List[0].Stop()
	_, err := p.recover("482915")
	var rate *recovery.RateError
	if !errors.As(err, &rate) || !rate.RetryAt.Equal(until) || errors.Is(err, recovery.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if !p.tried().Open() {
		t.Error("the attempt was ended without a verdict")
	}
}
