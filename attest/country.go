package attest

import "strings"

// CountryUnknown stands in a rollout, and in statistics, for whoever is in no
// known country.
const CountryUnknown = "ZZ"

// countries are the alpha-2 codes that ISO 3166-1 assigns, sorted. A country
// that it gets is added here; one that it loses stays, for edges go on naming it.
const countries = " AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ" +
	" CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR" +
	" GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP" +
	" KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ" +
	" NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW" +
	" SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ" +
	" UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "

// Country returns what a backend or an edge calls a country as rollouts and
// statistics know it: a code that ISO 3166-1 assigns, in capital letters.
// Anything else is CountryUnknown and no error: the empty text, "Japan", "UK"
// for GB, and what edges write for what they do not know, such as XX and T1.
// So a phone in a country that cannot be told has the stages for unknown ones,
// and is not turned away for what its edge has written.
func Country(code string) string {
	if len(code) != 2 {
		return CountryUnknown
	}
	code = strings.ToUpper(code)
	if !strings.Contains(countries, " "+code+" ") {
		return CountryUnknown
	}
	return code
}

// warnCountries warns of countries in which nobody is.
func (r *Stage) warnCountries(key string, warn warnFunc) {
	for _, country := range r.Countries {
		switch {
		case country == "*" || country == CountryUnknown || Country(country) == country:
		case country == "UK":
			warn(key+".countries", "\"UK\" matches nobody: ISO 3166-1 has no such country; the United Kingdom is GB")
		default:
			warn(key+".countries", "%q matches nobody: ISO 3166-1 has no such country; whoever is in none that it has is in %q", country, CountryUnknown)
		}
	}
}
