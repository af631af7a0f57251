package main

// devConfig is the configuration of `staunch dev`: the values to begin with, but
// for holds and waits, which nobody at a demo can wait for.
const devConfig = `# Written by "staunch dev", as a pattern for "staunch serve --config FILE".
# "staunch config print" prints a sample with a comment for every key.

listen = "127.0.0.1:8080"      # dev takes its flag --listen instead
data_dir = "data"              # one store an app: data/demo.db

[attest]
policy_file = "policy.toml"    # for "serve", take the dangerous_extra_roots out
status_list_file = "status.json"   # for "serve", Google's attestation status list
evidence_retention = "720h"

[[app]]
id = "demo"
service_token_file = "service.token"   # Authorization: Bearer TOKEN
root_secret_file = "root.secret"
audit_key_file = "audit.key"
backend_public_key_file = "backend.key.pub"
rp_id = "localhost"            # for "serve", your domain: it can never be changed
name = "Demo"
store = "demo.db"
dangerous_short_waits = true   # for "serve", false, and longer holds and waits
hosts = ["localhost"]
origins = ["http://localhost:8080"]    # dev puts its port in
android_origins = []
accounts_without_device = true
by_handle = false
synced_ok = ["all"]
synced_new_device = "hold"

[app.session]
person = "24h"
fresh = "5m"
risky = "1m"
browser = "30d"
phone = "180d"
guest = "12h"

[app.hold]
add = "30s"
recovery = "30s"

[app.wait]
recovery = "30s"
recovery_frozen = "30s"
delete = "30s"
unfreeze = "30s"
assisted = "0s"

[app.passkey]
counter_regress = "refuse"
counter_regress_synced = "raise"
backup_eligible_changed = "refuse"
backup_state_changed = "raise"
prf_missing = "note"
model_unknown = "refuse"
model_status = "refuse"
attestation_untrusted = "refuse"
attestation = "none"
allow_models = []
deny_models = []

[app.limit]
begin_network = "600 per 1m, burst 1200"
begin_device = "30 per 1m"
failed_network = "20 per 10m"
failed_device = "10 per 1h"
failed_account = "10 per 1h"
join = "10 per 1h"
handle_change = "5 per 24h"
handle_taken = "5 per 24h"
app_approval = "30 per 1h"
freeze_code = "600 per 1h"
recovery_open = "60 per 1h"
audit_refusal = "60 per 1h"

[app.transfer]
offer_ttl = "2m"
claim_ttl = "5m"
idle_ttl = "24h"
max_age = "7d"
seal_ttl = "24h"
recall_window = "2m"
hold_none = "30s"
hold_lan = "none"
hold_near = "none"
hold_risk = "30s"
window = "1GiB"
max_bytes = "1TiB"
relay_space = "100GiB"
keep_envelopes = "365d"
keep_places = "30d"

[app.console]                  # for "serve", a host of its own; see "staunch operator"
host = "console.localhost"
origin = "http://console.localhost:8080"   # dev puts its port in
rp_id = "console.localhost"
dangerous_synced_passkeys = true           # for "serve", false: a security key
`
