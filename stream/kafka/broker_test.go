//go:build unix

package kafka

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// broker is a real Kafka node, broker and controller in one, on loopback.
type broker struct {
	jars, dir, addr string
	cmd             *exec.Cmd
	stdin           *os.File
}

// jars finds the broker's jars, or skips.
func jars(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("TEST_KAFKA_JARS"); dir != "" {
		return dir
	}
	_, java := exec.LookPath("java")
	_, mvn := exec.LookPath("mvn")
	if os.Getenv("CI") == "true" && java == nil && mvn == nil {
		t.Fatal("java and mvn are there, but TEST_KAFKA_JARS is not set: make test and make test-kafka set it")
	}
	t.Skip("TEST_KAFKA_JARS is not set: make test-kafka runs a real Kafka broker")
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// newBroker formats a node's folder and starts it. It ends with the test.
func newBroker(t *testing.T, jars string) *broker { return newBrokerWith(t, jars, "PLAINTEXT", "") }

// newBrokerWith does so with a listener of a security protocol, more properties, and
// what formatting takes besides.
func newBrokerWith(t *testing.T, jars, protocol, more string, format ...string) *broker {
	t.Helper()
	b := &broker{jars: jars, dir: t.TempDir(), addr: freePort(t)}
	controller := freePort(t)
	config := strings.NewReplacer("PROTOCOL", protocol, "BROKER", b.addr, "CONTROLLER_ADDR", controller, "DIR", filepath.Join(b.dir, "log")).Replace(`
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@CONTROLLER_ADDR
listeners=PROTOCOL://BROKER,CONTROLLER://CONTROLLER_ADDR
advertised.listeners=PROTOCOL://BROKER
inter.broker.listener.name=PROTOCOL
controller.listener.names=CONTROLLER
listener.security.protocol.map=PROTOCOL:PROTOCOL,CONTROLLER:PLAINTEXT
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.dirs=DIR
`) + more
	if err := os.WriteFile(b.properties(), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-cp", filepath.Join(jars, "*"), "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", b.properties()}
	out, err := exec.Command("java", append(args, format...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("format: %v\n%s", err, out)
	}
	t.Cleanup(b.kill)
	b.start(t)
	return b
}

func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// start starts the node and waits until it answers. It is killed when its stdin
// ends, so also when the test is killed.
func (b *broker) start(t *testing.T) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command("sh", "-c", `java -Xmx320m -cp "$0" kafka.Kafka "$1" </dev/null & cat >/dev/null; kill -9 $!`, filepath.Join(b.jars, "*"), b.properties())
	var said bytes.Buffer
	b.cmd.Stdin, b.cmd.Stdout, b.cmd.Stderr = in, &said, &said
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	b.stdin = out
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		c, err := net.Dial("tcp", b.addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			b.kill()
			t.Fatalf("the broker does not answer: %v\n%s", err, said.Bytes())
		}
	}
}

// kill is kill -9.
func (b *broker) kill() {
	if b.stdin != nil {
		b.stdin.Close()
		_ = b.cmd.Wait() // the shell's status says nothing
		b.stdin = nil
	}
}

// unique is a topic of its own for each test.
func unique() string {
	return fmt.Sprintf("t%x", time.Now().UnixNano())
}
