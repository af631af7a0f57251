package account

// CountRequirements is how many rows the table of actions has.
func CountRequirements() int { return len(requirements) }
