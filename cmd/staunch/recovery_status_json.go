package main

import (
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// recoveryStatusJSON is it for programs. Fields may be added, and none goes.
func recoveryStatusJSON(st *server.RecoveryStatus, cfg *config.Config, now time.Time, wrong []string) any {
	type replica struct {
		Name     string     `json:"name"`
		Answers  bool       `json:"answers"` // and can be used
		Error    *string    `json:"error"`
		Platform *string    `json:"platform"`
		Epoch    *uint32    `json:"epoch"`
		Boot     *string    `json:"boot"`
		Issued   *time.Time `json:"evidence_issued_at"`
		Age      *int64     `json:"evidence_age_seconds"`
	}
	type vault struct {
		ID       string    `json:"id"`
		Operator string    `json:"operator"`
		Epoch    uint32    `json:"epoch"`
		Replicas []replica `json:"replicas"`
	}
	type witness struct {
		ID      string  `json:"id"`
		Answers bool    `json:"answers"`
		Error   *string `json:"error"`
	}
	type app struct {
		App     string              `json:"app"`
		Intents int                 `json:"open_intents"`
		Oldest  *time.Time          `json:"oldest_intent_at"`
		Sealed  map[string][]uint32 `json:"sealed_epochs"`
		Behind  int                 `json:"accounts_behind"` // have not set the PIN anew since a vault was replaced
		Lost    int                 `json:"accounts_lost"`   // of those: too few of their vaults are left
	}
	vaults, witnesses, apps := []vault{}, []witness{}, []app{}
	for _, v := range st.Vaults {
		one := vault{v.ID, v.Operator, v.Epoch, []replica{}}
		for _, r := range v.Replicas {
			x := replica{Name: r.Name, Answers: r.Error == "", Error: notEmpty(r.Error), Platform: notEmpty(r.Platform), Boot: notEmpty(r.Boot), Issued: notZero(r.Issued)}
			if x.Issued != nil {
				seconds := int64(max(now.Sub(r.Issued), 0) / time.Second)
				x.Epoch, x.Age = &r.Epoch, &seconds
			}
			one.Replicas = append(one.Replicas, x)
		}
		vaults = append(vaults, one)
	}
	for _, id := range st.Witnesses {
		why := st.WitnessErrors[id]
		witnesses = append(witnesses, witness{id, why == "", notEmpty(why)})
	}
	for _, a := range st.Apps {
		sealed := map[string][]uint32{}
		for id, epochs := range a.Sealed {
			sealed[id] = append([]uint32{}, epochs...)
		}
		apps = append(apps, app{a.App, a.Intents, notZero(a.Oldest), sealed, a.Behind.Accounts, a.Behind.Lost})
	}
	f := st.Freshness
	return map[string]any{
		"ok": len(wrong) == 0, "problems": wrong,
		"profile": st.Profile, "policy": st.Policy, "set_version": st.SetVersion, "n": st.N, "t": st.T, "limit": st.Limit,
		"operators": st.Operators, "assurance": st.Assurance,
		"freshness": map[string]any{"level": f.Level, "w": f.W, "q": f.Q, "r": f.R, "f": f.F, "on_total_amnesia": st.OnAmnesia},
		"vaults":    vaults, "witnesses": witnesses, "apps": apps,
		"retry": map[string]any{
			"kind": cfg.Recovery.Retry.Kind, "depth": st.Retry.Depth, "oldest_at": notZero(st.Retry.Oldest), "dead_letters": st.Retry.Dead, "error": notEmpty(st.RetryError),
		},
	}
}

// notEmpty and notZero are null in JSON for what is not known.
func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func notZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC().Truncate(time.Millisecond)
	return &u
}
