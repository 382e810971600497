package server

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"till/protocol"
)

// topic says what a line of news is about.
type topic byte

// The topics. Those in capitals are for the process that watches.
const (
	newsTouched topic = 't' // ids, serials: forget what is remembered of them
	newsTold    topic = 'a' // terminals: there may be something to tell them
	newsAll     topic = 'e' // every terminal was told something
	newsEnter   topic = 'c' // terminals that check in elsewhere now
	newsConfig  topic = 'o' // people, goods or rules changed
	newsQuote   topic = 'q' // there is another quote
	newsTip     topic = 'b' // the chain was seen anew
	newsSales   topic = 'S' // sales to compare with the chain
	newsDue     topic = 'D' // sales with the moment at which the clock may change them
	newsLeased  topic = 'L' // addresses to watch
	newsPayouts topic = 'P' // payouts to compare with the chain
	newsOutbox  topic = 'X' // effects to perform
	newsMints   topic = 'M' // mints to ask
	newsAlarms  topic = 'A' // the owner is to be told something
	newsReserve topic = 'R' // what is left in the wallet, in satoshi
)

const topics = "taecoqbSDLPXMAR"

// news is what one process tells the others: a topic with items, which are ids,
// serials or addresses.
type news map[topic][]string

// set makes the topic known without items.
func (n news) set(t topic) { n[t] = append(n[t], "") }

// texts writes news as lines: the teller, then lines of a topic and its items
// parted by spaces. Each text fits [MaxNews].
func (n news) texts(from string) (texts []string) {
	var b strings.Builder
	flush := func() {
		if b.Len() > len(from) {
			texts = append(texts, b.String())
		}
		b.Reset()
		b.WriteString(from)
	}
	flush()
	for _, t := range []byte(topics) {
		items := slices.Clone(n[topic(t)])
		slices.Sort(items)
		items = slices.Compact(items)
		for i, item := range items {
			switch {
			case b.Len()+len(item)+3 > MaxNews:
				flush()
				fallthrough
			case i == 0:
				b.WriteByte('\n')
				b.WriteByte(t)
			}
			if item != "" {
				b.WriteByte(' ')
				b.WriteString(item)
			}
		}
	}
	flush()
	return texts
}

// errNews: the text is not one of news.
var errNews = errors.New("news of another server are not understood")

// parseNews reads one text. Topics that a later version added are left out.
func parseNews(text string) (from string, n news, err error) {
	if len(text) > MaxNews {
		return "", nil, errNews
	}
	from, rest, more := strings.Cut(text, "\n")
	if from == "" || strings.Contains(from, " ") {
		return "", nil, errNews
	}
	n = news{}
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		items := strings.Split(line, " ")
		if len(items[0]) != 1 {
			return "", nil, errNews
		}
		if !strings.Contains(topics, items[0]) {
			continue
		}
		t := topic(items[0][0])
		if len(items) == 1 {
			n.set(t)
		}
		n[t] = append(n[t], items[1:]...)
	}
	return from, n, nil
}

// dueItem is a sale with the moment at which the clock may change it, 0 never.
func dueItem(id protocol.SaleID, at protocol.Time) string {
	return string(id) + "=" + strconv.FormatInt(int64(at), 10)
}

func parseDue(item string) (protocol.SaleID, protocol.Time, bool) {
	id, at, _ := strings.Cut(item, "=")
	ms, err := strconv.ParseInt(at, 10, 64)
	return protocol.SaleID(id), protocol.Time(ms), err == nil
}
