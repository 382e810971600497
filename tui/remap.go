package tui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// strokes are the keys that can be given to actions, by the names of stories.md.
var strokes = regexp.MustCompile(`^(f[1-9]|f1[0-2]|enter|esc|tab|shift\+tab|space|backspace|delete|insert|up|down|left|right|home|end|pgup|pgdn|(ctrl|alt)\+[a-z]|[!-~])$`)

// taken are strokes that mean something whatever the screen: they leave the
// program, or a terminal sends the same for another key.
var taken = map[string]string{"ctrl+c": "it leaves the program", "ctrl+i": "terminals send it for tab", "ctrl+j": "terminals send it for enter", "ctrl+m": "terminals send it for enter"}

// steady are actions that sentences on the screens name by their keys.
var steady = []Action{ActConfirm, ActNext, ActBack, ActAcknowledge}

// remapped puts the owner's keys in the place of ours.
func remapped(table map[screenName][]key, keys map[Action][]string) map[screenName][]key {
	for _, rows := range table {
		for i, k := range rows {
			if other, ok := keys[k.action]; ok && len(other) > 0 {
				rows[i].keys = spelled(other)
			}
		}
	}
	return table
}

// keyFor is the key of an action on a screen, as it is written there.
func (m *model) keyFor(name screenName, action Action) string {
	for _, k := range m.table[name] {
		if k.action == action {
			return keyName(k.keys[0])
		}
	}
	return ""
}

// spelled are key names as Bubble Tea has them.
func spelled(keys []string) []string {
	out := slices.Clone(keys)
	for i, k := range out {
		if k == "pgdn" {
			out[i] = "pgdown"
		}
	}
	return out
}

// JudgeKeys tells what is wrong with other keys for actions: what no action or
// key is called, a key that types, and two actions on one key.
func JudgeKeys(keys map[Action][]string) map[Action][]string {
	wrong := map[Action][]string{}
	fault := func(a Action, format string, args ...any) {
		wrong[a] = append(wrong[a], fmt.Sprintf(format, args...))
	}
	before, after := table(nil), table(keys)
	for action, strokesOf := range keys {
		own, known := before.actions[action]
		switch {
		case !known:
			fault(action, "there is no such action; till help keys lists them")
			continue
		case slices.Contains(steady, action):
			fault(action, "it stays on %s: sentences on the screens name it", strings.Join(own, ", "))
			continue
		}
		for _, s := range spelled(strokesOf) {
			switch {
			case !strokes.MatchString(strings.ReplaceAll(s, "pgdown", "pgdn")):
				fault(action, "%q is no key; write f6, ctrl+k, enter, +", s)
			case taken[s] != "":
				fault(action, "%s cannot be given: %s", s, taken[s])
			case types(s) && before.typeless[action]:
				fault(action, "%s types: a letter or digit can only be given to what has one", s)
			default:
				for _, other := range after.clashes(before, action, s) {
					fault(action, "%s is %s already", s, other)
				}
			}
		}
	}
	return wrong
}

// types tells a stroke that types on the register.
func types(stroke string) bool {
	r, n := utf8.DecodeRuneInString(stroke)
	return n == len(stroke) && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == ',') || stroke == "space" || stroke == "backspace"
}

// bindings are the strokes of the actions, and which actions share a stroke on a
// screen.
type bindings struct {
	actions  map[Action][]string
	typeless map[Action]bool                    // on some screen no letter or digit stands for it
	at       map[string]map[screenName][]Action // by stroke
}

func table(keys map[Action][]string) bindings {
	b := bindings{map[Action][]string{}, map[Action]bool{}, map[string]map[screenName][]Action{}}
	for name, rows := range remapped(keyTable(), keys) {
		for _, k := range rows {
			b.typeless[k.action] = b.typeless[k.action] || !slices.ContainsFunc(k.keys, types)
			for _, s := range k.keys {
				if !slices.Contains(b.actions[k.action], s) {
					b.actions[k.action] = append(b.actions[k.action], s)
				}
				if b.at[s] == nil {
					b.at[s] = map[screenName][]Action{}
				}
				b.at[s][name] = append(b.at[s][name], k.action)
			}
		}
	}
	return b
}

// clashes are the actions that share a stroke with one, and did not before: some
// share theirs because never two of them are offered at once.
func (b bindings) clashes(before bindings, action Action, stroke string) []Action {
	var out []Action
	for name := range b.at[stroke] {
		here := b.on(stroke, name)
		if !slices.Contains(here, action) {
			continue
		}
		for _, other := range here {
			if other != action && !before.share(action, other) && !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	slices.Sort(out)
	return out
}

// on are the actions of a stroke on a screen, with those of everywhere.
func (b bindings) on(stroke string, name screenName) []Action {
	here := b.at[stroke][name]
	switch name {
	case everywhere:
		for other, actions := range b.at[stroke] {
			if other != everywhere && other != onDialog {
				here = append(slices.Clone(here), actions...)
			}
		}
	case onDialog: // it takes every key
	default:
		here = append(slices.Clone(here), b.at[stroke][everywhere]...)
	}
	return here
}

// share tells whether two actions have a stroke in common on a screen.
func (b bindings) share(one, other Action) bool {
	for _, screens := range b.at {
		for _, actions := range screens {
			if slices.Contains(actions, one) && slices.Contains(actions, other) {
				return true
			}
		}
	}
	return false
}
