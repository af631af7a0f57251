package config

import "net/url"

// Console is where operators look after the app. Without this table there is none.
type Console struct {
	// Host name of the console, without port. No page for the app's people is on
	// it, and nothing but the console is served there.
	Host string `toml:"host,required"`
	// Its origin, as browsers write it.
	Origin string `toml:"origin,required"`
	// Domain that the operators' passkeys are bound to: the host, or a domain above
	// it that no page of an app is under. Under another one no passkey works, and
	// operators are invited anew.
	RPID string `toml:"rp_id,required"`
	// Take passkeys of operators that are copied to other devices, too. For demos:
	// with it, who gets into an operator's cloud account gets into the console.
	DangerousSyncedPasskeys bool `toml:"dangerous_synced_passkeys,silent"`
}

// checkConsoles judges the consoles beside all pages, for none may share anything
// with them.
func (c *Config) checkConsoles(bad func(app int) report) {
	hosts, ids := map[string]string{}, map[string]string{}
	for i := range c.Apps {
		k := c.Apps[i].Console
		if k == nil {
			continue
		}
		bad := bad(i)
		k.check(bad)
		if other, taken := hosts[k.Host]; taken {
			bad("host", "%q is the console of app %s already; every console has its own", k.Host, other)
		}
		if other, taken := ids[k.RPID]; taken {
			bad("rp_id", "%q is that of the console of app %s already; every console has its own", k.RPID, other)
		}
		hosts[k.Host], ids[k.RPID] = c.Apps[i].ID, c.Apps[i].ID
		for j := range c.Apps {
			for _, page := range c.Apps[j].pageHosts() {
				if page == k.Host {
					bad("host", "%q has pages of app %s; give the console a host of its own, such as \"console.example.org\"", k.Host, c.Apps[j].ID)
				} else if under(page, k.RPID) {
					bad("rp_id", "%q is also the domain of %q, where app %s has pages, which could ask for an operator's passkey; write the console's host", k.RPID, page, c.Apps[j].ID)
				}
			}
		}
	}
}

// pageHosts are the hosts on which the app's people are, here or elsewhere.
func (a *App) pageHosts() []string {
	all := append([]string{}, a.Hosts...)
	for _, origin := range a.Origins {
		if u, err := url.Parse(origin); err == nil {
			all = append(all, u.Hostname())
		}
	}
	return all
}

func (k *Console) check(bad report) {
	if !domain(k.Host) {
		bad("host", `%q is no host name; write it in small letters, without scheme and port, such as "console.example.org"`, k.Host)
		return
	}
	u, err := url.Parse(k.Origin)
	switch {
	case err != nil || u.Scheme+"://"+u.Host != k.Origin || !usualPort(u) || u.Hostname() != k.Host:
		bad("origin", `%q is no origin of the host %q; write it as browsers do: "https://%[2]s", with nothing behind host and port`, k.Origin, k.Host)
	case u.Scheme != "https" && (u.Scheme != "http" || !under(k.Host, "localhost")):
		bad("origin", "%q is not https; browsers offer passkeys without TLS on localhost alone", k.Origin)
	}
	if !domain(k.RPID) || !under(k.Host, k.RPID) {
		bad("rp_id", "%q is neither the host, %q, nor a domain above it; write the host", k.RPID, k.Host)
	} else if publicSuffix(k.RPID) {
		bad("rp_id", "%q is a public suffix, below which anybody may have a domain; no browser takes it", k.RPID)
	}
}
