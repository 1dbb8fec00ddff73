// Checks a proof bundle's parts with Go's own code for signed notes and Merkle trees.
// In: a JSON object on standard input. Out: "holds", or why not and exit status 1.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string
	Checkpoint  string
	Earlier     string
	Consistency []string
	Place       int64
	Data        []byte
	Inclusion   []string
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func hashes(texts []string) []tlog.Hash {
	var found []tlog.Hash
	for _, text := range texts {
		var hash tlog.Hash
		data, err := base64.StdEncoding.DecodeString(text)
		must(err)
		copy(hash[:], data)
		found = append(found, hash)
	}
	return found
}

func head(text string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	return size, hashes(lines[2:3])[0]
}

func main() {
	var given input
	must(json.NewDecoder(os.Stdin).Decode(&given))
	verifier, err := note.NewVerifier(given.Key)
	must(err)
	size, root := head(given.Checkpoint, verifier)
	old, oldRoot := head(given.Earlier, verifier)
	must(tlog.CheckTree(hashes(given.Consistency), size, root, old, oldRoot))
	must(tlog.CheckRecord(hashes(given.Inclusion), size, root, given.Place, tlog.RecordHash(given.Data)))
	fmt.Println("holds")
}
