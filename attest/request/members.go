package request

// Members lists the names of the members of a JSON object, in their order,
// that occur exactly once in it, ignoring case: those of the top level alone.
// What is not one JSON object in UTF-8 has none.
func Members(content []byte) []string { return nil }

// Base is the signature base of m (RFC 9421, Section 2.5) for the components,
// in their order. params is the value of "@signature-params".
func Base(m *Message, components []string, params string) ([]byte, error) { return nil, ErrMalformed }
