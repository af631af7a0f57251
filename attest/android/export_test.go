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

// TagPlaces counts the tags that hold a number or a text, and the places a list
// has for their values.
func TagPlaces() (numbers, numberPlaces, texts, textPlaces int) {
	var l AuthorizationList
	for _, t := range tags {
		switch t.field(&l).(type) {
		case **uint64:
			numbers++
		case **string:
			texts++
		}
	}
	return numbers, len(l.numbers), texts, len(l.texts)
}
