package toprf_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/staunchid/staunch/recovery/toprf"
)

// A key is dealt to three servers; any two give the same output, and learn
// nothing of the input.
func Example() {
	suite := toprf.Ristretto255
	key, err := suite.RandomScalar()
	if err != nil {
		log.Fatal(err)
	}
	shares, err := suite.Deal(key, 2, 3) // the key itself is forgotten
	if err != nil {
		log.Fatal(err)
	}

	recover := func(servers ...toprf.Share) toprf.Output {
		blinded, err := suite.Blind([]byte("stretched PIN"), [32]byte{1}, [16]byte{2})
		if err != nil {
			log.Fatal(err)
		}
		var answers []toprf.Answer
		for _, s := range servers {
			e, err := suite.Evaluate(s.Scalar, blinded.Element) // at the server
			if err != nil {
				log.Fatal(err)
			}
			answers = append(answers, toprf.Answer{Index: s.Index, E: e})
		}
		combined, err := suite.Combine(2, answers)
		if err != nil {
			log.Fatal(err)
		}
		output, err := blinded.Finalize(combined)
		if err != nil {
			log.Fatal(err)
		}
		return output
	}
	first, second := recover(shares[0], shares[1]), recover(shares[2], shares[0])
	fmt.Println(len(first), bytes.Equal(first, second), first)
	// Output: 64 true [redacted]
}
