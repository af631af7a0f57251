package spawn

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// mend makes the folders anew that are gone, with nothing but a configuration. A
// witness takes the counts from the others (rule Q4), and a further replica takes
// the keys from the first. The keys of a vault come from nowhere: it says so and
// does not start, and the others go on without it.
func (s *Set) mend(configs map[string]wire.Config) error {
	for id, folders := range s.shape.folders() {
		for _, name := range folders {
			path := filepath.Join(s.o.Dir, name)
			there, err := exists(filepath.Join(path, replica.ConfigFile))
			if err != nil {
				return err
			}
			if there {
				continue
			}
			s.log.Error("the folder of a vault or of the witness is gone: stop the server and restore it", "folder", path)
			if err := os.MkdirAll(path, 0o700); err != nil {
				return fmt.Errorf("spawn: %w", err)
			}
			c := configs[id]
			b, err := wire.Encode(&c)
			if err != nil {
				return fmt.Errorf("spawn: %w", err)
			}
			if err := write(filepath.Join(path, replica.ConfigFile), b); err != nil {
				return err
			}
		}
	}
	return nil
}
