package attest

import "slices"

// Stages gives the stages of an app's rollout in their order, each with the name
// that verdicts and statistics have for it.
func (p *Policy) Stages(app string) (all []Stage) {
	for i, stage := range p.file.Rollout {
		if stage.App != app {
			continue
		}
		if stage.Name == "" {
			stage.Name = stageName(i)
		}
		stage.Countries, stage.Codes = slices.Clone(stage.Countries), slices.Clone(stage.Codes)
		all = append(all, stage)
	}
	return all
}

// Exceptions gives those that are for an app, in their order, in force or not.
func (p *Policy) Exceptions(app string) (all []Exception) {
	for _, x := range p.file.Exception {
		if slices.Contains(x.Apps, app) {
			x.Apps = slices.Clone(x.Apps)
			if x.Match != nil {
				match := *x.Match
				match.Models, match.BatchSPKI = slices.Clone(match.Models), slices.Clone(match.BatchSPKI)
				match.BootKeys, match.AttestationVersions = slices.Clone(match.BootKeys), slices.Clone(match.AttestationVersions)
				x.Match = &match
			}
			all = append(all, x)
		}
	}
	return all
}
