package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"time"

	"github.com/staunchid/staunch/event"
)

const (
	defaultTimeout = 15 * time.Second
	maxAnswer      = 64 << 10 // bytes of an answer that are read, so that its connection can be used again
	maxHeaders     = 16 << 10

	// typeAlerted is the event that tells of an alert, which is kept elsewhere.
	typeAlerted = "account.alerted"
)

// client makes one that trusts the roots, follows nothing, and waits for nobody.
func client(o *Options) *http.Client {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxHeaders,
			MaxIdleConnsPerHost: workers, IdleConnTimeout: 90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send sends one event. nil: the receiver has acknowledged it.
func (d *Deliverer) send(ctx context.Context, e event.Event) error {
	body, err := d.payload(ctx, e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Staunch")
	sign(req.Header, d.key, d.id(e), d.now(), body)
	res, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // the status has said it
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("webhook: the receiver answers %s; any answer from 200 to 299 acknowledges, and redirects are not followed", res.Status)
	}
	return nil
}

// id stays the same however often an event is sent. The time is in it, so that
// after a backup was restored no other event has it.
func (d *Deliverer) id(e event.Event) string {
	return fmt.Sprintf("evt_%s_%d_%d", d.app, e.ID, e.At.UnixMicro())
}

// payload is the body for an event (Standard Webhooks 1.0.0, "Payload structure").
func (d *Deliverer) payload(ctx context.Context, e event.Event) ([]byte, error) {
	var told map[string]json.RawMessage
	if err := json.Unmarshal(e.Body, &told); err != nil {
		return nil, fmt.Errorf("webhook: body of event %d: %w", e.ID, err)
	}
	data := map[string]any{}
	for name, value := range maps.All(told) {
		data[name] = value
	}
	data["id"], data["app"] = e.ID, d.app
	if e.Account != "" {
		data["account"] = e.Account
	}
	if e.Type == typeAlerted && d.alert != nil {
		var seq uint64
		if err := json.Unmarshal(told["seq"], &seq); err != nil {
			return nil, fmt.Errorf("webhook: event %d names no alert: %w", e.ID, err)
		}
		alert, err := d.alert(ctx, e.Account, seq)
		if err != nil {
			return nil, fmt.Errorf("webhook: alert %d: %w", seq, err)
		}
		data["alert"] = alert
	}
	body, err := json.Marshal(struct {
		Type      string         `json:"type"`
		Timestamp time.Time      `json:"timestamp"`
		Data      map[string]any `json:"data"`
	}{e.Type, e.At.UTC(), data})
	if err != nil {
		return nil, fmt.Errorf("webhook: event %d: %w", e.ID, err)
	}
	return body, nil
}
