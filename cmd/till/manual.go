package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"till/cmd/internal/config"
)

// completion writes what a shell completes commands and flags with.
func (p *program) completion() *cobra.Command {
	write := map[string]func(*cobra.Command) error{
		"bash": func(root *cobra.Command) error { return root.GenBashCompletionV2(p.out, true) },
		"zsh":  func(root *cobra.Command) error { return root.GenZshCompletion(p.out) },
		"fish": func(root *cobra.Command) error { return root.GenFishCompletion(p.out, true) },
	}
	return &cobra.Command{
		Use: "completion bash|zsh|fish", Short: "Write the completion of a shell", Args: cobra.ExactArgs(1), ValidArgs: []string{"bash", "zsh", "fish"},
		Long: "Writes what the shell completes till's commands and flags with:\n\n  source <(till completion bash)",
		RunE: func(c *cobra.Command, args []string) error {
			w, known := write[args[0]]
			if !known {
				return usage("till completion bash, zsh or fish", "write completion: there is none for %q", args[0])
			}
			if err := w(c.Root()); err != nil {
				return fmt.Errorf("write completion: %w", err)
			}
			return nil
		},
	}
}

// man writes the manual page.
func (p *program) man() *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Write the manual page: till man | man -l -", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p.say("%s", manual(c.Root()))
			return nil
		},
	}
}

// manual is till(1) in the man macros (man(7)): the commands with their flags, the
// configuration's keys, files, environment and exit codes.
func manual(root *cobra.Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`.TH TILL 1 "" "till %s" "till"`, roff(version))
	line(".SH NAME\ntill \\- %s", roff(lower(root.Short)))
	line(".SH SYNOPSIS\n.B till\n[\\fICOMMAND\\fR] [\\fIFLAGS\\fR]")
	line(".SH DESCRIPTION\nWithout a command till is the cashier's terminal, with its server in the same process or, where")
	line(".B server.url\nis configured, a remote one. Everything that prints takes\n.BR --json .")
	line(".SH COMMANDS")
	eachCommand(root, func(c *cobra.Command) {
		line(".TP\n.B %s\n%s.", roff(c.UseLine()), roff(c.Short))
		if c.Long != "" {
			line(".IP\n%s", roff(strings.ReplaceAll(c.Long, "\n\n", "\n")))
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { manualFlag(line, f) })
	})
	line(".SH FLAGS OF ALL COMMANDS")
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { manualFlag(line, f) })
	line(".SH CONFIGURATION\nOne TOML file; flags beat variables\n.RB ( TILL_SECTION_KEY )\nbeat the file.\n.B till config init\nwrites a whole one.")
	for _, k := range config.Keys {
		def := ""
		if k.Default != "" {
			def = ", default " + k.Default
		}
		line(".TP\n.B %s\n%s (%s%s).", roff(k.Name), roff(k.Words), roff(k.Type), roff(def))
	}
	line(".SH FILES\n.TP\n.I /etc/till/till.toml\nthe machine's configuration.\n.TP\n.I ~/.config/till/till.toml\nthe user's.\n.TP\n.I /var/lib/till\nthe service's data.")
	line(".SH EXIT STATUS\n0 done; 1 the answer is no; 2 wrong usage or configuration; 3 the other side cannot be reached; 4 refused.")
	line(".SH SEE ALSO\n.BR systemctl (1),\n.BR age (1)")
	return b.String()
}

// eachCommand calls f for every command that is not hidden and does something.
func eachCommand(c *cobra.Command, f func(*cobra.Command)) {
	for _, child := range c.Commands() {
		if child.Hidden {
			continue
		}
		if child.Runnable() {
			f(child)
		}
		eachCommand(child, f)
	}
}

func manualFlag(line func(string, ...any), f *pflag.Flag) {
	if f.Hidden || f.Name == "help" {
		return
	}
	kind, words := pflag.UnquoteUsage(f)
	line(".RS\n.TP\n.BI --%s \" %s\"\n%s.\n.RE", roff(f.Name), roff(kind), roff(words))
}

// roff writes text so that troff takes it as it is.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n\n", "\n.br\n").Replace(text)
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			b.WriteString(`\&`)
		}
		b.WriteString(strings.TrimLeft(line, " "))
	}
	return b.String()
}

func lower(text string) string { return strings.ToLower(text[:1]) + text[1:] }
