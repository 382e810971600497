# An opened case: the key is gone at once, the journal knows, the screen says why,
# and nothing but a new pairing brings the machine back.
ring 5.00
do pay
do tender.bitcoin
customer pays
see state accepted
do acknowledge
tamper
see "The case was opened" in dialog
see /sim-case/ in dialog
do acknowledge
see "key erased" in health
journal verify
say "cash goes on"
ring 2.00
do pay
do tender.cash
do next
see "PAID"
do acknowledge
say "a restart changes nothing"
stop
start
see "The case was opened" in dialog
do acknowledge
see "key erased" in health
never "server now" for 2s
journal verify
