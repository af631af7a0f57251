package insider

import (
	"errors"
	"os"
)

func freeze(*os.Process, bool) error {
	return errors.New("insider: this system cannot stop a process and let it go on")
}
