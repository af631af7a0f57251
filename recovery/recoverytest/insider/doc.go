// Package insider plays the company's own administrator, who wants a PIN and has
// everything but what is inside the vaults: PIN recovery must hold against him.
//
// A Kit is a whole installation on this machine, each part a process of its own:
// the API with its store, its retry log and its rows, the vaults, the witnesses.
// The program that uses it is all of them, so its TestMain begins with Child:
//
//	func TestMain(m *testing.M) {
//		insider.Child()
//		os.Exit(m.Run())
//	}
//
//	k, err := insider.New(ctx, &insider.Options{Dir: dir, Profile: "kr1-2of3", Limit: 10})
//	owner, err := k.Enrol(ctx, "271828")       // an owner, with an honest phone
//	s, err := k.Search(ctx, owner)             // the insider
//	err = s.Try(ctx, "123456", []string{"v1", "v2", "v3"}, nil) // one PIN
//	err = k.Restart(ctx, "v1", "v2")           // SIGKILL, and started again
//	s.Tested()                                 // distinct PINs tried to a verdict
//
// He may copy, put back and replay every file: the store and its log (Snapshot
// of APIName), the folder of each vault and witness; read and replay every call
// and record; call any replica with any record; mint tickets and vouchers, for
// the API is his; kill, stop and start each process.
//
// What he may not is read the memory of a vault. At level process its keys are
// files beside it: the kit copies folders whole and opens nothing in them, for in
// a TEE there would be nothing to open.
package insider
