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
