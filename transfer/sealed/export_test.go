package sealed

// SealSalted is Seal under a salt that is given, for vectors.
var SealSalted = seal
