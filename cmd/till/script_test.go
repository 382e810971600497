package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this test binary as `till`, so that what they
// test is the program itself in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"till": func() { os.Exit(start()) },
		"bare": runBare,
	})
}

// TestScripts plays testdata/*.txtar: the shell's view of the program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_DATA_HOME", e.WorkDir+"/data")
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/config")
			return nil
		},
	})
}
