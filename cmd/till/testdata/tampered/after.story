# Paired anew it is another terminal, with an empty journal.
patience 20s
see /server now/ in health
not "key erased"
sign in 1 1111
ring 12.30
do pay
do tender.bitcoin
customer pays
see state accepted
see "PAID"
do acknowledge
journal verify
