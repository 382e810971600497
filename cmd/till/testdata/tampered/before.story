# The case of a terminal in the shop is opened. Its server hears of it over the
# connection there is, and never again.
size 110x30
patience 20s
sign in Marek 2222
do shift
do shift.open
do confirm
do register
ring 5.00
do pay
do tender.cash
do next
see "PAID"
do acknowledge
see "sent all" in health
tamper
see "The case was opened" in dialog
do acknowledge
see "key erased" in health
see "sent all" in health
journal verify
stop
start
see "The case was opened" in dialog
do acknowledge
see "key erased" in health
never "server now" for 3s
