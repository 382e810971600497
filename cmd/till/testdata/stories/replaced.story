# A payment that was accepted is replaced: every screen is interrupted.
ring 20.00
do pay
do tender.bitcoin
customer pays replaceable
see state accepted
do acknowledge
screen register
do sales
customer replaces
see /replaced/i in dialog within 1s
see state replaced
expect @alerts >= 1
do acknowledge
mine 1
see state replaced
not "accepted"
journal verify
