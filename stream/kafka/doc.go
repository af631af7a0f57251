// Package kafka is the retry stream of several servers: topics of a Kafka
// cluster, 3.0 or later. It implements recovery.Retry.
//
//	s, err := kafka.Open(&kafka.Options{Brokers: brokers, Stream: stream.Options{Rate: -1}})
//	defer s.Close()
//	go s.Run(ctx, apply)
//	err = s.Enqueue(ctx, record) // acknowledged by all replicas in sync when it returns
//
// # The topics
//
//	staunch.recovery.records        what was enqueued
//	staunch.recovery.records-retry  what has failed, to be tried again
//	staunch.recovery.records-dlq    dead letters: the last value of a key counts, none is a letter that has gone
//
// The key of a message is the vault, NUL, the account as that vault knows it; of a
// dead letter its ID. The value is the entry in dCBOR. Headers say how often it
// was tried (retry-count), when it is due (scheduled-at) and when it failed for
// the first time (first-failed-at), both in milliseconds of Unix time; of a dead
// letter why it is one (reason) and since when (dead-at).
//
// The first two have equally many partitions, so that one process has a key in
// both. Topics that are not there are made, with the replication that the brokers
// have as their default. Set min.insync.replicas of at least 2 there: durable
// means what acks=all means on your cluster.
//
// # The way there
//
// Security makes Options.TLS and Options.SASL of files. Without it the topics
// belong to whoever reaches the brokers, who can take records away for good; what he
// puts there is refused, since the app has not sealed it.
//
// # How it is consumed
//
// All servers are one consumer group, staunch-recovery. A process holds what it
// has consumed in a queue with a lane for each key, and commits of each partition
// the offset below which everything is done. An entry that fails is produced
// anew to the retry topic before its offset counts as done; it stays in the
// memory of the process as well, so that Nudge finds it. So the offsets move
// on, and no entry that waits is older than its last attempt: the retention of a
// topic must be longer than an outage of all servers, not of the store.
//
// After a crash or a rebalance entries are consumed again. Nudge knows what this
// process holds, which is not what another one has.
package kafka
