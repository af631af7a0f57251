package integrity

// beneath is the transaction of the store, beneath those of the flows: what pillar
// recovery gets, which has rows of its own there.
func beneath(tx Tx) Tx {
	for {
		switch t := tx.(type) {
		case *noting:
			tx = t.Tx
		case *sealed:
			tx = t.Tx
		default:
			return tx
		}
	}
}
