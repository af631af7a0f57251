package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/kafka"
	"github.com/staunchid/staunch/stream/wal"
)

// retryStream is where records wait until their store takes them: one of all apps.
type retryStream interface {
	recovery.Retry
	Stats() stream.Stats
	Close() error
}

// DeadLetters are the records that the retry stream has given up.
type DeadLetters interface {
	// List gives all, the oldest first.
	List(ctx context.Context) ([]stream.Letter, error)
	// Retry puts one back into the stream.
	Retry(ctx context.Context, id string) error
	// Drop deletes one for good.
	Drop(ctx context.Context, id string) error
	Close() error
}

// retryDir is the folder of the log.
func retryDir(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "recovery-retry") }

func retryOptions(cfg *config.Config, sound func(recovery.Record) bool, log *slog.Logger) stream.Options {
	r := cfg.Recovery.Retry
	return stream.Options{MaxAttempts: r.MaxAttempts, Rate: float64(r.Rate), Ignore: r.IgnoreKeys, Sound: sound, Logger: log}
}

func kafkaOptions(cfg *config.Config, sound func(recovery.Record) bool, log *slog.Logger) (*kafka.Options, error) {
	r := cfg.Recovery.Retry
	way := &kafka.Security{
		CAFile: r.TLSCAFile, CertFile: r.TLSCertFile, KeyFile: r.TLSKeyFile, Mechanism: r.SASLMechanism, User: r.SASLUser, PasswordFile: r.SASLPasswordFile,
	}
	tls, login, err := way.Open()
	if err != nil {
		key := "recovery.retry.sasl_mechanism"
		if tls == nil && r.TLSCAFile != "" {
			key = "recovery.retry.tls_ca_file"
		}
		return nil, cfg.Wrong(key, "%v", err)
	}
	return &kafka.Options{Brokers: r.Brokers, Topic: r.Topic, TLS: tls, SASL: login, Stream: retryOptions(cfg, sound, log)}, nil
}

// openRetry opens the stream that the configuration names. sound says which entries
// may be joined.
func openRetry(cfg *config.Config, sound func(recovery.Record) bool, log *slog.Logger) (retryStream, error) {
	switch kind := cfg.Recovery.Retry.Kind; kind {
	case "wal":
		return wal.Open(&wal.Options{Dir: retryDir(cfg), Stream: retryOptions(cfg, sound, log)})
	case "kafka":
		o, err := kafkaOptions(cfg, sound, log)
		if err != nil {
			return nil, err
		}
		return kafka.Open(o)
	default:
		return nil, fmt.Errorf("server: recovery.retry.kind: %q is neither wal nor kafka", kind)
	}
}

// retry tells what the retry stream holds.
func (m *metrics) retry(s retryStream, now func() time.Time) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "staunch_recovery_retry_depth", Help: "Records that wait until their store takes them.",
		}, func() float64 { return float64(s.Stats().Depth) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "staunch_recovery_retry_oldest_seconds", Help: "For how long the oldest of them has waited; 0 if there is none.",
		}, func() float64 {
			if oldest := s.Stats().Oldest; !oldest.IsZero() {
				return now().Sub(oldest).Seconds()
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "staunch_recovery_retry_dead_letters", Help: "Records that were given up.",
		}, func() float64 { return float64(s.Stats().Dead) }),
	)
}

// OpenDeadLetters opens the dead letters of the retry stream. A server may run
// meanwhile.
func OpenDeadLetters(cfg *config.Config) (DeadLetters, error) {
	if !cfg.RecoveryOn() {
		return nil, errors.New(`server: there is no recovery in this configuration: recovery.profile is "none", or no app has accounts`)
	}
	if cfg.Recovery.Retry.Kind == "kafka" {
		return openLetters(cfg)
	}
	return wal.OpenLetters(retryDir(cfg)), nil
}

// openLetters opens those in the cluster.
func openLetters(cfg *config.Config) (*kafka.Letters, error) {
	o, err := kafkaOptions(cfg, nil, nil)
	if err != nil {
		return nil, err
	}
	return kafka.OpenLetters(o)
}
