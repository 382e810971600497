package chain

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// killed names the environment variable that makes the test binary the process
// that is killed: it holds the directory.
const killed = "TILL_TEST_PRACTICE_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killed); dir != "" {
		if err := liveAndPrint(dir, os.Stdin, os.Stdout); err != nil {
			fmt.Println("failed:", err)
		}
		return
	}
	code := m.Run()
	if btcdDir != "" {
		_ = os.RemoveAll(btcdDir)
	}
	os.Exit(code)
}

// liveAndPrint does what each line of in asks and answers with the state.
func liveAndPrint(dir string, in io.Reader, out io.Writer) error {
	p, err := OpenPractice(PracticeConfig{Dir: dir, Now: time.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	ctx := context.Background()
	var last string
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var err error
		switch lines.Text() {
		case "pay":
			last, err = p.Pay(ctx, somewhere, 10_000, 0, true)
		case "pay finally":
			last, err = p.Pay(ctx, somewhere, 10_000, 0, false)
		case "replace":
			last, err = p.Replace(ctx, last, "", 0)
		case "mine":
			_, err = p.Mine(ctx, 1)
		case "reorg":
			_, err = p.Reorg(ctx, 2, false)
		case "drop":
			_, err = p.Reorg(ctx, 2, true)
		case "look":
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, p.state())
	}
	return nil
}

// state is all that must survive.
func (p *Practice) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var pool, rivals []string
	for _, id := range p.ledger.pool.TxHashes() {
		pool = append(pool, id.String())
	}
	for _, tx := range p.rivals {
		rivals = append(rivals, tx.Hash().String())
	}
	slices.Sort(pool)
	coins, err := p.coins(p.purse.customer, nil)
	best := p.ledger.chain.BestSnapshot()
	return fmt.Sprint(best.Height, best.Hash, pool, rivals, len(coins), err)
}

// TestAnswersSurviveKill ends the process with SIGKILL after each answer; the
// database of the chain has written none of it by then.
func TestAnswersSurviveKill(t *testing.T) {
	dir := t.TempDir()
	state := ""
	for _, calls := range []string{
		"pay", "mine", "pay,pay finally,replace", "mine", "pay,replace,mine", "reorg", "pay,mine,pay,mine,drop",
		"mine,reorg,pay finally,replace",
	} {
		state = liveAndDie(t, dir, state, strings.Split(calls, ","))
	}
	p := openPractice(t, dir)
	if now := p.state(); now != state {
		t.Fatalf("after all kills %s\nwas %s", now, state)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if now := openPractice(t, dir).state(); now != state {
		t.Fatalf("after a clean end %s\nwas %s", now, state)
	}
}

// liveAndDie starts a process, compares its state with the last one, makes the
// calls and kills it.
func liveAndDie(t *testing.T, dir, before string, calls []string) (after string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killed+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	answers := bufio.NewReader(out)
	ask := func(call string) string {
		fmt.Fprintln(in, call)
		line, err := answers.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "failed") {
			t.Fatalf("%s: %s %v", call, line, err)
		}
		return strings.TrimSuffix(line, "\n")
	}
	if found := ask("look"); before != "" && found != before {
		t.Fatalf("after the kill %s\nwas %s", found, before)
	}
	for _, call := range calls {
		after = ask(call)
	}
	return after
}
