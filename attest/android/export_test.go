package android

// TagNumber finds a tag by its name in the schema.
func TagNumber(name string) (uint32, bool) {
	for _, t := range tags {
		if t.name == name {
			return t.number, true
		}
	}
	return 0, false
}

// NumberTags counts the tags that hold a number, and the places a list has for
// their values.
func NumberTags() (tagged, places int) {
	var l AuthorizationList
	for _, t := range tags {
		if _, ok := t.field(&l).(**uint64); ok {
			tagged++
		}
	}
	return tagged, len(l.numbers)
}
