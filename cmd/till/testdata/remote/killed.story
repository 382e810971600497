# Server and terminal are killed at each stage of a sale and started again.
patience 70s
sign in 1 1111
ring 5
do pay
do tender.bitcoin
qr /^bitcoin:/i as before
pull server
plug server
customer pays
see state accepted
see "PAID"
pull server
plug server
pull power
plug power
sign in 1 1111
screen register
ring 6
do pay
do tender.bitcoin
customer pays
pull server
pull power
plug server
plug power
see state accepted
sign in 1 1111
see "PAID"
do acknowledge
do sales
mine 3
see state confirmed
journal verify
