package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// longestWait is how long something may wait for its store or its vault.
const longestWait = 5 * time.Minute

// vaultProblems is what somebody must look at, as `staunch recovery status` says it.
func vaultProblems(v *Vaults, now time.Time) (wrong []string) {
	if v == nil {
		return nil
	}
	answer := 0
	for _, r := range v.Replicas {
		if r.Platform != "" {
			answer++
		}
		if r.Error != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", r.Name, r.Error))
		} else if age := now.Sub(r.Issued); age > v.EvidenceMaxAge {
			wrong = append(wrong, fmt.Sprintf("%s: its evidence is %s old, older than vault.evidence_max_age; look at its log", r.Name, span(age)))
		}
	}
	for _, w := range v.Witnesses {
		if w.Error != "" {
			wrong = append(wrong, fmt.Sprintf("witness %s: %s", w.ID, w.Error))
		}
	}
	if answer == 0 {
		wrong = append(wrong, "no vault answers: do they run, and does the network reach them?")
	}
	if !v.Oldest.IsZero() && now.Sub(v.Oldest) > longestWait {
		wrong = append(wrong, fmt.Sprintf("a request has been on its way to a vault for %s; look at the server's log", span(now.Sub(v.Oldest))))
	}
	return wrong
}

func queueProblems(q *Queue, now time.Time) (wrong []string) {
	if q == nil {
		return nil
	}
	if q.Error != "" {
		wrong = append(wrong, "it cannot be read: "+q.Error)
	}
	if !q.Oldest.IsZero() && now.Sub(q.Oldest) > longestWait {
		wrong = append(wrong, fmt.Sprintf("a record has waited for its store for %s; look at the server's log", span(now.Sub(q.Oldest))))
	}
	if q.Dead > 0 {
		wrong = append(wrong, count(q.Dead, "record was given up", "records were given up"))
	}
	return wrong
}

type vaultsPage struct {
	page
	View     *Vaults
	Problems []string
}

// Level is what the vaults' evidence is worth, in words.
func (p vaultsPage) Level() string {
	switch p.View.Assurance {
	case "":
		return "unknown: none answers"
	case "process":
		return "process: ordinary processes, NOT a TEE"
	}
	return p.View.Assurance
}

// Epochs are those under which records lie in the store.
func (p vaultsPage) Epochs(r Replica) string {
	var all []string
	for _, e := range r.Sealed {
		all = append(all, fmt.Sprint(e))
	}
	if len(all) == 0 {
		return "–"
	}
	return strings.Join(all, ", ")
}

// Stale reports whether evidence is too old.
func (p vaultsPage) Stale(r Replica) bool { return p.Now.Sub(r.Issued) > p.View.EvidenceMaxAge }

func (c *call) vaultsPage() error {
	v, err := c.read.Vaults(c.r.Context())
	if err != nil {
		return err
	}
	return c.pages.Render(c.w, http.StatusOK, "vaults", vaultsPage{c.page("", "Vaults"), v, vaultProblems(v, c.now)})
}

type queuePage struct {
	page
	View     *Queue
	Problems []string
}

func (c *call) queuePage() error {
	q, err := c.read.Queue(c.r.Context())
	if err != nil {
		return err
	}
	return c.pages.Render(c.w, http.StatusOK, "queue", queuePage{c.page("", "Retry queue"), q, queueProblems(q, c.now)})
}
