package config

import (
	"fmt"
	"strings"
)

// Reference writes a whole configuration file: every key with its words, type
// and default, commented out, so that the file changes nothing until it is edited.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Configuration of till. Every key is here with its default; remove the # to\n# change one. `till config check` judges this file.\n")
	section := ""
	for _, k := range Keys {
		if k.Section() != section {
			section = k.Section()
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		def := k.Default
		if def == "" {
			def = map[bool]string{true: "[]", false: `""`}[strings.HasPrefix(k.Type, "list")]
			if strings.HasPrefix(k.Type, "integer") {
				def = "0"
			}
		}
		fmt.Fprintf(&b, "# %s (%s)\n#%s = %s\n", k.Words, k.Type, strings.TrimPrefix(k.Name, section+"."), def)
	}
	b.WriteString("\n[keys]\n# Other keys for actions of the screens (a key such as \"f6\" or a list of them);\n# `till help keys` names the actions.\n# sales = \"f3\"\n")
	return b.String()
}
