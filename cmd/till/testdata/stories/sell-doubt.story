# The line is cut while coins are asked for: it is not certain that they left, so
# nothing is paid again until the server has said what became of it.
do sell
press 2 0 0 0
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "2\n2222\n"
see "20.00" in dialog
pull network
do confirm
see /not certain/ within 5s
cannot confirm
cannot next
see /in doubt/ in health
plug network
do recheck
see "NOT PAID OUT" within 20s
do acknowledge
not "in doubt"
say "the next one goes through"
press 2 0 0 0
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 20s
not "NOT PAID OUT"
do acknowledge
journal verify
