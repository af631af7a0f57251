package toprf

import (
	"crypto/rand"
	"fmt"

	"github.com/cloudflare/circl/group"
)

// Share is one server's part of a secret.
type Share struct {
	Index  int     // the point, from 1
	Scalar Scalar  // k_i
	Public Element // K_i = k_i·G, by which proofs are verified
}

// Deal cuts a secret into n shares of which t give it back, and fewer nothing:
// Shamir's scheme at the points 1 to n.
func (s Suite) Deal(secret Scalar, t, n int) ([]Share, error) {
	if err := secret.in(s); err != nil {
		return nil, err
	}
	if t < 1 || t > n || n > MaxShares {
		return nil, fmt.Errorf("%w: %d of %d", ErrShares, t, n)
	}
	for {
		coefficients := []group.Scalar{secret.s}
		for range t - 1 {
			coefficients = append(coefficients, s.group().RandomScalar(rand.Reader))
		}
		if shares, err := s.deal(coefficients, n); err == nil { // else one share in 2^252 is zero
			return shares, nil
		}
	}
}

// deal evaluates the polynomial, the constant term first, at 1 to n.
func (s Suite) deal(coefficients []group.Scalar, n int) ([]Share, error) {
	g := s.group()
	var shares []Share
	for i := 1; i <= n; i++ {
		x, y := g.NewScalar().SetUint64(uint64(i)), g.NewScalar()
		for j := len(coefficients) - 1; j >= 0; j-- { // Horner's rule
			y.Mul(y, x)
			y.Add(y, coefficients[j])
		}
		k, err := s.scalar(y)
		if err != nil {
			return nil, err
		}
		public, err := s.element(g.NewElement().MulGen(y))
		if err != nil {
			return nil, err
		}
		shares = append(shares, Share{Index: i, Scalar: k, Public: public})
	}
	return shares, nil
}

// CombineScalars gives a dealt secret back from exactly t shares; their Public
// is not looked at.
func (s Suite) CombineScalars(t int, shares []Share) (Scalar, error) {
	indices := make([]int, len(shares))
	for i, sh := range shares {
		if err := sh.Scalar.in(s); err != nil {
			return Scalar{}, err
		}
		indices[i] = sh.Index
	}
	if err := s.checkIndices(t, indices); err != nil {
		return Scalar{}, err
	}
	g := s.group()
	sum := g.NewScalar()
	for i, sh := range shares {
		sum.Add(sum, g.NewScalar().Mul(s.lagrange(indices, i, 0), sh.Scalar.s))
	}
	return s.scalar(sum)
}

// checkIndices wants exactly t indices, none twice.
func (s Suite) checkIndices(t int, indices []int) error {
	if err := s.valid(); err != nil {
		return err
	}
	if t < 1 || len(indices) != t {
		return fmt.Errorf("%w: %d shares, %d wanted", ErrShares, len(indices), t)
	}
	return distinct(indices)
}

// distinct wants indices from 1 to MaxShares, none twice.
func distinct(indices []int) error {
	seen := map[int]bool{}
	for _, i := range indices {
		if i < 1 || i > MaxShares {
			return fmt.Errorf("%w: the index %d", ErrMalformed, i)
		}
		if seen[i] {
			return fmt.Errorf("%w: the index %d twice", ErrShares, i)
		}
		seen[i] = true
	}
	return nil
}

// lagrange is the coefficient of share number i when the polynomial through the
// indices is evaluated at the point at. The indices are distinct, and public.
func (s Suite) lagrange(indices []int, i, at int) group.Scalar {
	g := s.group()
	scalar := func(n int) group.Scalar {
		if n < 0 {
			v := g.NewScalar().SetUint64(uint64(-n))
			return g.NewScalar().Neg(v)
		}
		return g.NewScalar().SetUint64(uint64(n))
	}
	num, den := scalar(1), scalar(1)
	for j, x := range indices {
		if j != i {
			num.Mul(num, scalar(at-x))
			den.Mul(den, scalar(indices[i]-x))
		}
	}
	return num.Mul(num, g.NewScalar().Inv(den))
}
