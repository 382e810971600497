package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// software names the program as a terminal does: "till/1.0.0 linux/arm64".
func software() string { return fmt.Sprintf("till/%s %s/%s", version, runtime.GOOS, runtime.GOARCH) }

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			facts := struct {
				Version string `json:"version"`
				System  string `json:"system"`
				Go      string `json:"go"`
			}{version, runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
			return p.print(facts, func() { p.say("%s %s\n", software(), facts.Go) })
		},
	}
}
