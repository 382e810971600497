# A payment that was accepted and whose goods are gone is replaced: the counter
# across the street is interrupted within a second.
sign in 1 1111
ring 20
do pay
do tender.bitcoin
customer pays replaceable
see state accepted within 10s
do acknowledge
screen register
customer replaces
see /replaced/i in dialog within 1s
do acknowledge
journal verify
