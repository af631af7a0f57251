package demo

// Vaults is what anybody may know of the vaults, and what an app has built in of
// them.
type Vaults struct {
	Profile    string
	Limit      int
	Threshold  int // how many of them bring a key back
	PINMin     int
	SetVersion uint64
	ReleaseK   int
	Release    [][]byte // Ed25519 public keys that sign the vault set
	Members    []Member
	Process    bool // they are ordinary processes of this machine, NOT a TEE
}

// Member is one vault.
type Member struct {
	ID       string `json:"id"`
	Operator string `json:"operator"`
}

// The payment service believes that it is pay.example.com, which a proxy hands its
// requests: a host of Staunch itself is not one that phones sign payments for.
const (
	payAuthority = "pay.example.com"
	payPath      = "/v1/remit"
	payAt        = "/demo/pay"
)

type settings struct {
	App      string            `json:"app"`
	Name     string            `json:"name"`
	Origin   string            `json:"origin"`
	RPID     string            `json:"rpId"`
	Recovery *recoverySettings `json:"recovery"`
	Pay      map[string]string `json:"pay"`
	Kinds    []string          `json:"kinds"`
}

type recoverySettings struct {
	Profile    string   `json:"profile"`
	Limit      int      `json:"limit"`
	Threshold  int      `json:"threshold"`
	PINMin     int      `json:"pinMin"`
	SetVersion uint64   `json:"setVersion"`
	Release    release  `json:"release"`
	Vaults     []Member `json:"vaults"`
	Process    bool     `json:"process"`
}

type release struct {
	K    int      `json:"k"`
	Keys []octets `json:"keys"`
}

// settings are what an app has built in. A real one gets them from its developers,
// and not from the server that it is to check.
func (c *call) settings() (any, error) {
	out := &settings{
		App: string(c.app), Name: c.name, Origin: c.origins[c.r.Host], RPID: "localhost",
		Pay: map[string]string{"authority": payAuthority, "path": payPath, "at": payAt + payPath},
	}
	for _, k := range kinds() {
		out.Kinds = append(out.Kinds, k[0])
	}
	v, err := c.server.Vaults(c.r.Context())
	if err != nil || v == nil {
		return out, err
	}
	out.Recovery = &recoverySettings{
		Profile: v.Profile, Limit: v.Limit, Threshold: v.Threshold, PINMin: v.PINMin, SetVersion: v.SetVersion,
		Release: release{v.ReleaseK, all(v.Release)}, Vaults: v.Members, Process: v.Process,
	}
	return out, nil
}
