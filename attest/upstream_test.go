package attest_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// upstreamNames are the names that the published descriptions use where they
// differ from the schema's.
var upstreamNames = map[string]string{
	"purpose": "purposes", "algorithm": "algorithms", "digest": "digests", "padding": "paddings", "blockMode": "blockModes",
	"mgfDigest": "rsaOaepMgfDigests",
}

// oursAsUpstream turns our claims into the published form.
func oursAsUpstream(claims map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"attestationVersion", "keyMintVersion", "attestationChallenge", "uniqueId"} {
		out[name] = plain(claims[name])
	}
	for _, name := range []string{"attestationSecurityLevel", "keyMintSecurityLevel"} {
		out[name] = strings.ToUpper(snake(claims[name].(string)))
	}
	for _, name := range []string{"softwareEnforced", "hardwareEnforced"} {
		list := map[string]any{}
		for tag, value := range claims[name].(map[string]any) {
			if tag == "unknown_tags" {
				continue
			}
			if n, ok := upstreamNames[tag]; ok {
				tag = n
			}
			switch v := value.(type) {
			case map[string]any:
				list[tag] = oursNested(v)
			default:
				list[tag] = plain(value)
			}
			if tag == "origin" && list[tag] == "0" {
				list[tag] = "GENERATED"
			}
		}
		out[name] = list
	}
	return out
}

func oursNested(v map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range v {
		switch name {
		case "packageInfos":
			var packages []string
			for _, p := range value.([]any) {
				info := p.(map[string]any)
				packages = append(packages, fmt.Sprint(info["packageName"], "@", plain(info["version"])))
			}
			slices.Sort(packages)
			out["packages"] = packages
		case "signatureDigests":
			out["signatures"] = plain(value)
		case "verifiedBootState":
			out[name] = strings.ToUpper(snake(value.(string)))
		default:
			if value != nil {
				out[name] = plain(value)
			}
		}
	}
	return out
}

// upstreamDescription brings the published form into a comparable one.
func upstreamDescription(d map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range d {
		list, ok := value.(map[string]any)
		if !ok {
			out[name] = plain(value)
			continue
		}
		fields := map[string]any{}
		delete(list, "areTagsOrdered") // that we note as kd_encoding
		for field, v := range list {
			switch v := v.(type) {
			case map[string]any:
				nested := map[string]any{}
				for n, x := range v {
					nested[n] = plain(x)
					if n == "packages" {
						var packages []string
						for _, p := range x.([]any) {
							info := p.(map[string]any)
							packages = append(packages, fmt.Sprint(info["name"], "@", info["version"]))
						}
						slices.Sort(packages)
						nested[n] = packages
					}
				}
				fields[field] = nested
			default:
				fields[field] = plain(v)
			}
		}
		out[name] = fields
	}
	return out
}

// plain writes numbers as the published form does, as text.
func plain(v any) any {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.0f", v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

// snake writes TrustedEnvironment as Trusted_Environment.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && r >= 'A' && r <= 'Z' && s != "StrongBox" {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	if s == "StrongBox" {
		return "STRONG_BOX"
	}
	return b.String()
}

// withoutComments drops the lines of a published file that are comments.
func withoutComments(text []byte) []byte {
	var kept [][]byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("//")) {
			kept = append(kept, line)
		}
	}
	return bytes.Join(kept, nil)
}
