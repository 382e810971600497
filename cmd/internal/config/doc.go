// Package config reads the one strict TOML file of till, the TILL_SECTION_KEY
// variables and the values of flags, in rising order of weight.
//
// It promises: an unknown key, a value of the wrong type or out of range, and a
// key that stands twice are faults; all faults are listed, each with its line.
// One table ([Keys]) names every key with its type, range, default and a line
// of words; reading, checking, [Reference] and the documentation all come from
// it. Secrets are named by file, never written here.
package config
